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
(warm,) = [line for line in after if "= abs  ; learnt" in line]
print([line for line in before if line != cold] == [line for line in after if line != warm])
print(any("result = result + " in line for line in after), any("n = next(" in line for line in after))
print(dis.Bytecode(total, adaptive=True).dis().splitlines() == after)

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
