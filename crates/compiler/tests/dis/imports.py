import a
import a.b.c
import a as b
import a.b as c
import a.b.c.d as e, f
from a import b, c as d
from . import a
from .. import a as b
from .a.b import c
from a import *
def f():
    import a.b
    from c import d as e
