"""What `dis` shows of the form that really runs."""

import dis
import io


def listing(function):
    output = io.StringIO()
    dis.dis(function, adaptive=True, file=output)
    return output.getvalue().splitlines()


def total(numbers):
    result = 0
    for n in numbers:
        result += abs(n)
    return result


before = listing(total)
total([1, -2])
after = listing(total)
print(len(before) == len(after))
(cold,) = [line for line in before if line.endswith("= abs  ; nothing learnt")]
(warm,) = [line.partition("  ; ran")[0] for line in after if "= abs  ; learnt" in line]
without = lambda lines: [line.partition("  ;")[0] for line in lines]
print(without(before) == without(after), warm.endswith("a builtin, entry " + warm.rpartition(" ")[2]))
print(any("result = result + " in line for line in after), any("n = next(" in line for line in after))
print(dis.Bytecode(total, adaptive=True).dis().splitlines() == after)


class A:
    def __init__(self):
        self.x = 1

    @property
    def y(self):
        return 2

    @staticmethod
    def s():
        return 3


class B(A):
    k = 4

    def __init__(self):
        self.w = 0
        super().__init__()


def attributes(o, b):
    b.k, o.y, o.s()
    b.x, A.s
    o.m = 5
    return o.x


for _ in range(3):
    attributes(A(), B())
attributes(B(), B())
for line in listing(attributes):
    if "learnt" in line and "A" not in line.split("  ;")[0].split():
        text, learnt = line.split("  ; ")[:2]
        print(text.split(" = ")[-1], "|", "".join(c for c in learnt if not c.isdigit()))

for instruction in dis.get_instructions(total):
    if instruction.opname in ("FOR_ITER", "JUMP_ABSOLUTE", "RETURN_VALUE"):
        print(
            instruction.opname,
            instruction.starts_line,
            instruction.line_number - total.__code__.co_firstlineno,
            instruction.is_jump_target,
            instruction.jump_target,
            instruction.positions.end_col_offset,
        )
