# An error of an iterator is shown at the expression that it comes from.
import traceback


class Broken:
    def __init__(self, where):
        self.where = where

    def __iter__(self):
        if self.where == "iter":
            raise LookupError
        return self

    def __next__(self):
        raise LookupError


def iterates():
    for item in Broken("iter"):
        pass


def goes_on():
    for item in Broken("next"):
        pass


def unpacks():
    for a, b in [(1, 2, 3)]:
        pass


for function in iterates, goes_on, unpacks:
    try:
        function()
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[1]
        print(place.name, place.end_lineno - place.lineno, place._original_lines[place.colno : place.end_colno])
