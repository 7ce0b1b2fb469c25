assert a
assert a, b
assert not a and b, "both"
def check(x):
    assert x > 0, f"bad {x}"
    assert (x is not None)
