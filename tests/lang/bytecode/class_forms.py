"""What a class on the virtual machine prints: the listing and the instructions of a small function."""
import dis


def simple():
    x = int(input('x? '))
    y = int(input('y? '))

    print(x + y)


dis.dis(simple)
for instruction in dis.Bytecode(simple):
    print(instruction)
