"""The docstring of a module."""
from __future__ import division
x = 1
