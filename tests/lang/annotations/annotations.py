from typing import Generic, NamedTuple, Optional, Protocol, TypedDict, TypeVar, get_type_hints, runtime_checkable


def annotated(a: int, b: "str" = "x", *args: float, c: list[int] | None = None) -> dict[str, int]:
    local: int = 5
    return {b: local}


print(get_type_hints(annotated))
T = TypeVar("T")


class Box(Generic[T]):
    def __init__(self, item: T):
        self.item = item


print(Box[int](3).item, Box[int], Box.__parameters__)


class Employee(NamedTuple):
    name: str
    id: int = 3


class Movie(TypedDict, total=False):
    title: str
    year: int


print(Employee("x"), Employee._field_defaults, Movie(title="t"), sorted(Movie.__annotations__))


@runtime_checkable
class Closes(Protocol):
    def close(self): ...


class File:
    def close(self):
        pass


print(isinstance(File(), Closes), isinstance(5, Closes))
print(list[int], dict[str, list[int]], int | str, Optional[int], tuple[int, ...], int | None)
print(isinstance(1, int | str), isinstance(None, int | None), (int | str).__args__)


class Stack[U]:
    def __init__(self):
        self.items: list[U] = []

    def push[V](self, item: V) -> V:
        self.items.append(item)
        return item


type Pair[A] = tuple[A, A]
print(Stack[int]().push("x"), Stack.__type_params__, Pair, Pair[int], Pair.__value__)


def first[W: (int, str)](items: list[W]) -> W:
    return items[0]


print(first([1]), first.__type_params__[0].__constraints__)


class Annotated:
    x: int
    y: "undefined_thing" = 1


print(Annotated.__annotations__["x"], sorted(Annotated.__annotations__))
