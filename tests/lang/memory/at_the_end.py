"""What is still there when the interpreter ends: frozen objects, daemon threads, classes that hold their own instances."""
import gc
import threading
import time
import weakref


class Own(str):
    __slots__ = ()


Own.own = Own("x")


def collected():
    class Local(int):
        __slots__ = ()

    Local.own = Local(1)
    Local.more = {Local(2): Local(3)}
    return weakref.ref(Local)


reference = collected()
gc.collect()


class Frozen:
    def __del__(self):
        print("not reached")


frozen = Frozen()
frozen.me = frozen
gc.freeze()
del frozen
print(gc.get_freeze_count() > 0)

started = threading.Event()


def forever():
    started.set()
    while True:
        time.sleep(0.01)


threading.Thread(target=forever, daemon=True).start()
started.wait()
print("done")
