from .. import helper
from ..helper import name as again
from . import exported


def where():
    return f"{__name__} {helper.name} {again} {exported}"
