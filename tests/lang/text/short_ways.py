"""Texts and numbers at the borders of what is done quickly."""
import re
import struct

print('abcdef'[::-1], 'abcdef'[4:1:-2], 'abcdef'[::2], 'abcdef'[1::3], 'abc'[10:0:-1], 'abc'[::-5], ascii('aé€😀x'[::-1]))
print(ascii('aé€😀x'[::2]), ascii('é€a'[2::-2]), ('ab' * 40)[::-3], b'abcdef'[::-2])
print('a.b.c'.count('.'), 'aaa'.count('aa'), 'éaé'.count('é'), 'abc'.count('', 1), ('ab' * 200).count('ba'))
for text in 'hello wORLD x1y', 'ßa éa', "it's", '', 'ǆ':
    print(text.title(), text.capitalize(), text.upper(), text.lower(), text.swapcase())
print([t.isalnum() for t in ('', 'a1', 'é', 'a b')], ['1²'.isdigit(), '12'.isdigit(), ' \t'.isspace(), 'a\n'.isprintable()])
print('abcabc'.translate({97: 'xy', 98: None, 99: 'z'}), 'abc'.translate({97: 0x20AC}), 'aéb'.translate({0xe9: 'e', 97: 'A'}))
print('hello'.translate(str.maketrans('el', 'ip', 'o')), 'x' * 40 + 'é'.translate({0xe9: None}))
for n in 0, 1, 127, 128, 255, 256, -1, -128, -129, 2**31, 2**62, 2**63 - 1, 2**63, -2**63, 2**64 - 1:
    row = []
    for length in 0, 1, 2, 8, 9:
        for signed in False, True:
            for order in 'little', 'big':
                try:
                    data = n.to_bytes(length, order, signed=signed)
                    assert length == 0 or int.from_bytes(data, order, signed=signed) == n
                    row.append(data.hex())
                except OverflowError as error:
                    row.append(str(error)[:9])
    print(n, *row)
print(int.from_bytes(b'\xff' * 8), int.from_bytes(b'\xff' * 8, signed=True), int.from_bytes(b''), int.from_bytes([1, 2]))
for code in 'bBhHiIlLqQ':
    row = []
    for n in -2**63, -2**31 - 1, -129, -128, -1, 0, 127, 128, 255, 256, 65535, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1:
        for order in '<>':
            try:
                data = struct.pack(order + code, n)
                assert struct.unpack(order + code, data) == (n,)
                row.append(data.hex())
            except struct.error as error:
                row.append('-')
    print(code, *row)
print(struct.unpack('>fd', struct.pack('>fd', 1.5, -2.25)), struct.unpack('<e?c3s', struct.pack('<e?c3s', 0.5, 1, b'x', b'abcd')))
print(struct.unpack_from('<H', b'\0\1\2\3', 1), list(struct.iter_unpack('>H', b'\0\1\2\3')))
for data in b'', b'abc':
    try:
        struct.unpack('<H', data)
    except struct.error as error:
        print(error)
try:
    struct.unpack_from('<H', b'abc', 2)
except struct.error as error:
    print(error)
print(f'{255:x} {255:#X} {-255:o} {5:08b} {1234567:,} {-5:+} {65:c} {3:<4}| {3:^5}|{3:=+5}', hex(-255), bin(10), oct(0))
print(f'{"ab":>5}|{"ab":^6}|{"ab":*<4}|{"abcdef":.3}|{2.5:.1f}|{2.5}|{1e300:g}|{-0.0:+.2e}|{True:d}|{True}')
print('%s-%d-%5s|%-5s|%05d|%x|%%|%r|%s' % ('é', 7, 'ab', 'cd', 42, 255, 'q', 10**20), '%s' % 5, '%d%%' % -3, '%(a)s' % {'a': 1})
for template, args in ('%s', ()), ('%d', ('x',)), ('%s', (1, 2)), ('%', 1), ('é%s%', 1), ('%z', 1):
    try:
        print(template % args)
    except (TypeError, ValueError) as error:
        print(error)
print(repr("a'b"), repr('a"b'), repr('a\'"b'), repr('\\\n\t\x7f\x00é€\ud800'), repr('x' * 40), [1, 'a', -2, "'"], {'a': [None, 1.5]})
print(repr(['€', 'é', '\\']), (1,), {1}, ascii(['€']), {'k': 'v' * 30})
pairs = [(r'\d+', 'ab12c345'), (r'(x|y)*z', 'xyxz z yz'), (r'(?:[0-9]?x|y+)z', '1xz xz yyz 7z'), (r'\bfoo|bar\b', 'foo bar foobar'),
         (r'(?!a)\w', 'abc'), (r'(?<!a)b', 'abb'), (r'(?=b)b', 'abb'), (r'(?i)k', 'kK\u212a'), (r'(?i:é)', 'éÉ'), (r'[^\W\d_]+', 'a1é_2€Ω'),
         (r'\s*,\s*', 'a , b,c'), (r'(?>a+)b', 'aab'), (r'a*', 'baac'), (r'(a)|b', 'ab'), (r'\Aab|cd', 'abcdab'), (r'^x', 'x\nx'), (r'(?m)^x', 'x\nx'),
         (r'(a?)+b', 'aab b'), (r'(?:ab?){2,}c', 'aabc abac ac'), (r'.+?,', 'ab,cd,'), (r'\w+@\w+', 'me@home, you@work'), ('é+', 'aéé€é')]
for pattern, text in pairs:
    print(pattern, ascii(re.findall(pattern, text)), ascii(re.sub(pattern, '-', text)), ascii(re.split(pattern, text)))
print(re.findall(rb'[\x80-\xff]+', b'a\x80\xffb\x90'), re.search('[α-ω]', 'abcβ').start())
print({1: 2, 'a': [3], **{'b': 4}}, {1, 2, 1}, {n: n * n for n in range(4)}, {c for c in 'aba'}, {}, {'x': {}})
for f in (lambda: {[]: 1}), (lambda: {1, []}), (lambda: {[]: 1 for _ in '1'}), (lambda: {[] for _ in '1'}):
    try:
        f()
    except TypeError as error:
        print(error)
print('é'.encode(), 'aéb€😀c'.encode(), 'aéb'.encode('utf-8').decode(), 'aé€'.encode().decode(), ascii('a😀é'.encode().decode()))
print(bytes([1, 2, 255]), bytes([True, 2]), 'x'.join(['é', 'b']), '€'.join(['a', 'b', 'c']), ('-' * 20).join('abc'))
for bad in [256], [-1], ['a'], [1.5]:
    try:
        bytes(bad)
    except (TypeError, ValueError) as error:
        print(error)
big = 1 << 70
print(big + 1, 1 + big, big - 1, 1 - big, big * 3, -3 * big, big - big, big + -big + 5, big * 0, (1 << 62) + (1 << 62), -(1 << 62) - 1)
