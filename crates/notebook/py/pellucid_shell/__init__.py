"""The shell that runs the cells of notebooks: Python with IPython's additions.

Start with `shell.py`. `transform.py` turns a cell into Python, `magics.py` holds what `%` and `%%` call, `timing.py`
the magics that measure, `pretty.py` and `display.py` show values, `streams.py` keeps what was shown.
"""

from .shell import Shell, UsageError, get_ipython

__all__ = ["Shell", "UsageError", "get_ipython"]
