import fcntl
import grp
import mmap
import os
import pty
import pwd
import resource
import stat
import sys
import tempfile
import termios

# A file that does not own its descriptor.
reader, writer = os.pipe()
with open(reader, closefd=False) as file:
    pass
print(file.closed, os.fstat(reader) is not None)

m = mmap.mmap(-1, 20)
m[:3] = b'abc'
print(m[:5], m[1], m.find(b'c'), m, len(m))
m.seek(1)
print(m.read(3), m.tell(), m.write(b'xyz'), m.rfind(b'z'))
m.move(10, 0, 3)
print(m[8:14], memoryview(m)[:2].tobytes())
with memoryview(m):
    try:
        m.close()
    except BufferError as e:
        print(e)
m.close()
print(m, m.closed)
try:
    m[0]
except ValueError as e:
    print(e)
with tempfile.TemporaryFile() as file:
    try:
        mmap.mmap(file.fileno(), 0)
    except ValueError as e:
        print(e)
    file.write(b'line one\nline two\n')
    file.flush()
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as m:
        print(m.readline(), m.readline(), m.readline(), m.size())
        try:
            m[0] = 1
        except TypeError as e:
            print(e)
    with mmap.mmap(file.fileno(), 0) as m:
        m[0:4] = b'LINE'
        m.flush()
    file.seek(0)
    print(file.read())

print(pwd.getpwuid(0).pw_name, grp.getgrgid(0).gr_name)
for f in (lambda: pwd.getpwnam('no such user'), lambda: grp.getgrgid(123456789)):
    try:
        f()
    except KeyError as e:
        print(e)
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 100), hard))
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= 100)
try:
    resource.getrlimit(100)
except ValueError as e:
    print(e)

flags = fcntl.fcntl(reader, fcntl.F_GETFD)
print(flags == fcntl.FD_CLOEXEC, fcntl.fcntl(reader, fcntl.F_SETFD, 0), fcntl.fcntl(reader, fcntl.F_GETFD))
with tempfile.TemporaryFile() as file:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.lockf(file, fcntl.LOCK_EX)
try:
    termios.tcgetattr(reader)
except termios.error as e:
    print(e)
pid, terminal = pty.fork()
if pid == 0:
    print('child', os.isatty(0))
    sys.exit(4)
said = b''
while b'\n' not in said:
    said += os.read(terminal, 100)
print(said, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(stat.filemode(0o104755), stat.S_ISDIR(0o40000))
