class A:
    async def __aenter__(self): pass
    async def __aexit__(self, *a): pass
class A1:
    async def __aenter__(self): pass
class B:
    def __enter__(self): pass
    def __exit__(self, *a): pass
class C:
    def __enter__(self): pass
class D:
    def __exit__(self, *a): pass
def s(c):
    try:
        with c(): pass
    except TypeError as e: print(e)
async def a(c):
    try:
        async with c(): pass
    except TypeError as e: print(e)
for c in (A,A1,C,D,int):
    s(c)
for c in (B,C,D,A1,int):
    try: a(c).send(None)
    except StopIteration: pass
