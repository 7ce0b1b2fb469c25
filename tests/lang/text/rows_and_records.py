# csv, json, struct, zlib and pickle in corner cases.
import csv
import io
import json
import pickle
import struct
import zlib

print(list(csv.reader([',3,"5",7.3, 9'], quoting=csv.QUOTE_NONNUMERIC)))
out = io.StringIO()
csv.writer(out, delimiter=" ", skipinitialspace=True).writerow([None, ""])
print(repr(out.getvalue()))
for quoting in (csv.QUOTE_NONE, csv.QUOTE_STRINGS, csv.QUOTE_NOTNULL):
    try:
        csv.writer(io.StringIO(), delimiter=" ", skipinitialspace=True, quoting=quoting).writerow([None, 1])
    except csv.Error as error:
        print(error)
sniffed = csv.Sniffer().sniff("'a':'b''c':'d'\r\n'e':'f':'g'\r\n")
print(repr(sniffed.quotechar), repr(sniffed.delimiter), sniffed.doublequote)

items = [object()] * 10


def shrink(_):
    del items[-1]


print(json.dumps(items, default=shrink))


class Reversed(list):
    def __iter__(self):
        return reversed([*super().__iter__()])


print(json.dumps(Reversed([1, 2, 3])))


class Named(struct.Struct):
    pass


print(struct.Struct("=i2H"), Named("b"))

for level in (0, 9):
    stream = zlib.compressobj(level)
    parts = [stream.compress(b"spam" * 99), stream.flush(zlib.Z_BLOCK), stream.compress(b"!"), stream.flush()]
    print(zlib.decompress(b"".join(parts)) == b"spam" * 99 + b"!")
for bits in (0, 16, 32):
    try:
        zlib.compressobj(1, zlib.DEFLATED, bits)
    except ValueError as error:
        print(bits, error)

many = [str(i) for i in range(20000)]
print(pickle.loads(pickle.dumps(many, 4)) == many)
