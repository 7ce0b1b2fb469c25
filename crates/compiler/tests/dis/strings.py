"a" "b"
b"a" b"b"
r"\n" "\x41\u00e9\U0001F600\N{DIGIT ONE}"
x = "line\
continued"
u"a"
x = 'it\'s', "q\"", """t
t"""
