"""Strings that grow in place are seen to change by nobody."""


def grow(n):
    s = ''
    seen = []
    for i in range(n):
        s += str(i)
        if i % 10 == 0:
            seen.append(s)
            keys = {s: i}
            s += '.'
            assert s not in keys and seen[-1] in keys
    return s, seen


s, seen = grow(40)
print(s)
print(seen)


def alias():
    s = 'ab' * 20
    t = s
    s += 'c'
    u = s
    s = s + 'd'
    s += s
    return t, u, s


print(alias())


def wide():
    s = 'x' * 28
    for c in 'yzé€😀':
        before = s
        s += c
        print(len(before), len(s), ascii(s[-3:]))
        del before
    return hash(s) == hash('x' * 28 + 'yzé€😀')


print(wide())
s = 'abcdefgh' * 5
print(s[3:7], s[:0] == '', s[5:2] == '', s[:] is s, s[-3:], s[100:], s[-100:2], s[2:3], s[39:60])
print('héllo wörld'[1:2], 'h€llo'[1:2], 'h€llo'[1], 'h€llo'[0])
b = b'abcdefgh'
print(b[3:7], b[:0], b[5:2], b[:] is b, b[-3:], b[100:], b[2:3], b[-1], b + b'' + b'x')
print(f'{1}{-5!r}{"é"}{2.5}{True}{None!s:>6}{"x"!a}{10**20}', f'{7}', f'{"abc"}', f'{-3:d}')


class S(str):
    def __format__(self, spec):
        return f'<{spec}>'

    def __str__(self):
        return S('inner')


print(f'{S("x")}', f'{S("x")!s}', f'{S("x")!r}', f'{S("x"):y}', f'a{S("x")!s:>10}')
print(f'{"a" * 20}{"b" * 20}{"é"}', f'{"a" * 10}{"b" * 10}{"€"}')
print('a,b,,c'.split(','), 'a--b----c'.split('--'), ('x' * 300 + 'ab').split('xa'), 'héé€'.split('é'))
print(' a  b c '.split(), ' a  b c '.split(None, 1), 'a,b,c'.split(',', 1), ''.split(), ''.split(','))
print(','.join(['a']), ','.join(('a', 'b')), '€'.join('abc'), ', '.join(x for x in ['é', 'b']))
print(('-' * 15).join(['a' * 10, 'b' * 10]), 'é'.join(['a', 'b']), ''.join([]) == '')
for items in ['a', 1], (1,), [b'a', 'b']:
    try:
        ''.join(items)
    except TypeError as error:
        print(error)
for text in '12', ' 12 ', '+7', '-0', '999999999999999999', '9999999999999999999', '1_000', '٣':
    print(int(text), end=' ')
print()
for text in '', '1_', '12a', 'é':
    try:
        int(text)
    except ValueError as error:
        print(error)
print(str(0), str(-1), str(123456789), repr(-2**62), str(2**62 - 1), str(-2**63))
