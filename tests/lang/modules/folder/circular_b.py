from circular_a import name
