# The Unicode database is that of version 16.0.0, whatever the newest one is.
import unicodedata as u

print(u.unidata_version, u.ucd_3_2_0.unidata_version)
later = [0x88F, 0xC5C, 0x20C1, 0xA7CE, 0x11DB0, 0x1FAC8, 0x323B0]
print([u.category(chr(c)) for c in later], [chr(c).isalpha() or chr(c).isprintable() for c in later])
print(ascii("\ua7ce".lower()), u.name("\u20c1", "nameless"), ascii("\u20c1"))
print(u.name("\U0001ccd6"), u.category("\u1c89"), ascii("\u1c89".lower()), ascii("\u019b".upper()))
print(u.category("\u0295"), "\u0295".islower(), u.bidirectional("\u1b3a"), u.numeric("\u5146"))
print(u.bidirectional("\ud800"), u.east_asian_width("\U000323b0"), u.east_asian_width("\u088f"))
for name in ("TANGUT IDEOGRAPH-17000", "SAUDI RIYAL SIGN"):
    try:
        print(u.lookup(name))
    except KeyError as error:
        print(error)
for c in ("\U0002f868", "\U0002f91f"):
    forms = [ascii(d.normalize("NFC", c)) for d in (u, u.ucd_3_2_0)]
    print(u.decomposition(c), u.ucd_3_2_0.decomposition(c), forms)
print("\u20c1".encode("ascii", "namereplace"), "ä".encode("ascii", "namereplace"))
