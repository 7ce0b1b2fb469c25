# A container that one thread is writing is no cycle to another.
import threading

started, finished = threading.Event(), threading.Event()


class Slow:
    def __repr__(self):
        if threading.current_thread() is threading.main_thread():
            started.set()
            finished.wait(10)
        return "slow"


items = [Slow()]
seen = []


def write():
    started.wait(10)
    seen.append(repr(items))
    finished.set()


thread = threading.Thread(target=write)
thread.start()
print(repr(items))
thread.join()
print(seen)
items.append(items)
started.clear()
finished.set()
print(repr(items))
