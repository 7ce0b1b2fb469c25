@a
def f(): pass
@a.b(1)
@c
def g(x, y=1):
    """Doc"""
    return x
@a
async def h(): pass
@(lambda x: x)
def i(): pass
