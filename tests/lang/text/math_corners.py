# math in the corner cases of C, and sums of products that change their kind.
import math

tiny = math.ulp(0.0)
print(math.nextafter(-tiny, 0.0), math.nextafter(tiny, -0.0), math.nextafter(-tiny, 0.0, steps=1))


class Int(int):
    def __add__(self, other):
        return Int(int(self) + int(other))

    def __mul__(self, other):
        return Int(int(self) * int(other))

    __radd__ = __add__
    __rmul__ = __mul__

    def __repr__(self):
        return f"Int({int(self)})"


print(math.sumprod((-5, -5, -5), (Int(7), 1.5, 1.5)), math.sumprod((2, 2**70, True), (3, 1.5, 0.25)))
print(math.sumprod([10**30, 1], [1, 0.5]), math.sumprod([1.5, 2**2000], [2, 0]))

import statistics

print(statistics.NormalDist().inv_cdf(math.nan), statistics.NormalDist(3, 2).inv_cdf(0.01))
