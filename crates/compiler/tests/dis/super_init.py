class A(B):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.x = [super(A, self).f(i) for i in args]
