class A:
    __slots__ = ("__a",)
    def __init__(self, __b):
        self.__a = __b
        __c = self.__d__
        import __e
        def f(__g): return __g + __c
        return f(__g=1)
class _:
    def f(self): return self.__a
