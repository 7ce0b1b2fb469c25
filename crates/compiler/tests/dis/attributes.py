a.b.c.d = e.f
del a.b.c
a.b().c(1).d(2, 3)
a.b(*c)
a.b(c=1)
(a
 .first()
 .second(
     1)
 .third)
