from bench import run
from class_forms import main


def macro_equiv_opt(size, array):
    for i in range(0, size):
        element = array[i]
        element = 0 + element
        element = 1 + element
        element = 2 + element
        element = 3 + element
        element = 4 + element
        array[i] = element


run(main, macro_equiv_opt)
