# What frame objects tell when their generator is gone, and what runs while a generator is thrown into or dropped.
import sys


def finished():
    a = 1
    yield sys._getframe()
    b = 2


def guarded():
    a = 42
    try:
        yield sys._getframe()
    finally:
        a = 43


def both(make):
    generator = make()
    frame = next(generator)
    return generator, frame


generator, frame = both(finished)
print(frame.f_back, list(generator), frame.f_locals, frame.f_back)
for make in finished, guarded:
    generator, frame = both(make)
    generator.close()
    print(frame.f_locals, frame.f_back)
    generator, frame = both(make)
    del generator
    print(frame.f_locals, frame.f_back)
generator = finished()
frame = generator.gi_frame
del generator
print(frame.f_locals, frame.f_back)


async def coroutine(parameter):
    await None


coroutine_object = coroutine(1)
frame = coroutine_object.cr_frame
coroutine_object.close()
print(frame.f_locals)


class Receiver:
    def __iter__(self):
        return self

    def __next__(self):
        return 1

    def throw(self, *what):
        frame = sys._getframe()
        print("thrown", frame.f_back.f_code.co_name, frame.f_back.f_back.f_code.co_name)
        return "thrown"

    def close(self):
        print("closed")


def delegating():
    yield from Receiver()


generator = delegating()
next(generator)
print(generator.throw(RuntimeError))
generator.close()
generator = delegating()
next(generator)
del generator
