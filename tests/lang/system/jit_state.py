# Whether machine code is made and runs depends on how this is run, the kind of answer does not.
import sys

print(sys._jit.is_available())
print(type(sys._jit.is_enabled()), type(sys._jit.is_active()))
print(sys._jit.is_active() <= sys._jit.is_enabled() <= sys._jit.is_available())
try:
    sys._jit.is_active(1)
except TypeError as error:
    print(error)
