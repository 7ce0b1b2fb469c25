import importlib
import os.path as path
import sys
from collections import OrderedDict as OD
from math import *
from math import pi as circle

print(path.join("a", "b"), OD.__name__, floor(2.5), circle == pi, sys.modules["os.path"] is path)
try:
    import does_not_exist
except ModuleNotFoundError as error:
    print(error, error.name)
try:
    import os.nothing
except ModuleNotFoundError as error:
    print(error)
try:
    from math import nothing
except ImportError as error:
    print(str(error).split("(")[0])
try:
    from . import sibling
except ImportError as error:
    print(error)
try:
    import json.decoder.deeper
except ModuleNotFoundError as error:
    print(error)
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/folder") if (os := __import__("os")) else None
import plain

print(plain.value, plain.__name__, plain.__file__.endswith("folder/plain.py"), plain.__spec__.name)
import package.sub.leaf as leaf
from package import helper, sub
from package.sub import *

print(leaf.where(), helper.name, sub.__path__[0].endswith("package/sub"), exported, "hidden" in globals())
import package

print(package.sub.leaf is leaf, package.__package__, leaf.__package__, package.__all_names__)
plain.value = "changed"
importlib.reload(plain)
print(plain.value, importlib.import_module("package.helper") is helper, importlib.import_module(".leaf", "package.sub") is leaf)
try:
    import broken
except ZeroDivisionError as error:
    print("broken", error, "broken" in sys.modules)
try:
    import circular_a
except ImportError as error:
    print(str(error).split("(")[0])
import lazy_module

print(lazy_module.computed, [n for n in dir(lazy_module)])
try:
    lazy_module.other
except AttributeError as error:
    print(error)
import namespace.inner

print(namespace.inner.x, type(namespace.__path__).__name__, namespace.__spec__.origin)
sys.modules["blocked"] = None
try:
    import blocked
except ModuleNotFoundError as error:
    print(error)
print(__import__("package.sub").__name__, __import__("package.sub", fromlist=["leaf"]).__name__)


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "virtual":
            from importlib.machinery import ModuleSpec

            return ModuleSpec(name, Finder)

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        module.made = "by finder"


sys.meta_path.append(Finder)
import virtual

print(virtual.made, virtual.__spec__.loader is Finder)
