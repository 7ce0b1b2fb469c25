import circular_b
name = 1
