class A:
    """Doc."""
    x = 1
    y = x + 1
    def method(self): return self.x
class B(A, metaclass=M, **kw):
    def method(self):
        return super().method()
    def other(self):
        return __class__
@decorator
@another(1)
class C(*bases):
    pass
