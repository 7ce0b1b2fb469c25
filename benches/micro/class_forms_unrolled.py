from bench import run
from class_forms import func, main


def unroll_opt(size, array):
    for i in range(0, size):
        element = array[i]
        element = func(0, element)
        element = func(1, element)
        element = func(2, element)
        element = func(3, element)
        element = func(4, element)
        array[i] = element


run(main, unroll_opt)
