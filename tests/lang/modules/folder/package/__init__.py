from . import helper
__all_names__ = [helper.name]
