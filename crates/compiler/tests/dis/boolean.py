a and b
a or b and c
(a and b) or c
(a or b) and c
(a and b) and c
(a or b) or c
x = not (a and not b)
if a and b or c: d
if (a or b) and c: d
if not (a and b): d
while a or not b: c
x = a if b and c else d if e or f else g
