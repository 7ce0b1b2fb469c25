"""Options of magics."""

import getopt


class UsageError(Exception):
    """A magic was not used as it should be; shown without a traceback."""


def parse_options(name, line, short, long=()):
    """The options in front of a line, and what follows them.

    What follows is the text of the line as it is: it may be Python, with quotes of its own.
    """
    options = {}
    rest = line.strip()
    while rest.startswith("-") and not rest.startswith("- "):
        word, _, after = rest.partition(" ")
        if word == "--":
            return options, after.lstrip()
        try:
            found, left = getopt.getopt([word], short, list(long))
        except getopt.GetoptError as error:
            if "requires argument" not in str(error):
                raise UsageError(f"%{name}: {error}") from None
            value, _, after = after.lstrip().partition(" ")
            try:
                found, left = getopt.getopt([word, value], short, list(long))
            except getopt.GetoptError as error:
                raise UsageError(f"%{name}: {error}") from None
        if left:
            break
        for key, value in found:
            options[key.lstrip("-")] = value
        rest = after.lstrip()
    return options, rest
