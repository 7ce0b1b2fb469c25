from bench import run


class Failure(Exception):
    pass


def fails(i):
    if i % 3 == 0:
        raise Failure(i)
    if i % 3 == 1:
        return {}["missing"]
    return i


def main(n):
    total = 0
    for i in range(n):
        try:
            total += fails(i)
        except Failure as failure:
            total += failure.args[0]
        except KeyError:
            total += 1
        finally:
            total += 1
        try:
            pass
        except ValueError:
            pass
    return total


run(main, 40000)
