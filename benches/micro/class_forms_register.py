from bench import run
from class_forms import func, main


def reg_opt(size, array):
    total = 0
    for i in range(0, size):
        element = array[i]
        for count in range(0, 5):
            element = func(count, element)
            total += element
        array[i] = element
    return total


run(main, reg_opt)
