import os
import signal
import subprocess
import sys
import threading
import time

# A loop whose end is a test lets others run.
go_on, started, interrupted = [True], [False], [False]


def worker():
    started[0] = True
    while go_on[0]:
        pass
    interrupted[0] = True


thread = threading.Thread(target=worker)
thread.start()
while not started[0]:
    pass
go_on[0] = False
thread.join()
print(interrupted)

# It can be interrupted, and so can calls that wait.
for program in (
    'flag = [1]\nwhile flag[0]: pass',
    'n = 1\nwhile n > 0: n = 1',
    'import time; time.sleep(60)',
    'import select; select.select([], [], [])',
    'import socket; a, b = socket.socketpair(); a.recv(1)',
    'import threading; threading.Lock().acquire(); l = threading.Lock(); l.acquire(); l.acquire()',
    'import subprocess; subprocess.run(["sleep", "60"])',
    'import asyncio; asyncio.run(asyncio.sleep(60))',
):
    # Imports are done before it says that it is ready, for those can take long.
    head = program.partition(';')[0] if program.startswith('import') else ''
    ready = '\nimport sys; sys.stdout.write("r"); sys.stdout.flush()\n'
    child = subprocess.Popen([sys.executable, '-c', head + ready + program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdout.read(1)
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=20)
    print(child.returncode, err.decode().splitlines()[-1])

# Handlers run while a call waits, and the call goes on (PEP 475).
calls = []
signal.signal(signal.SIGALRM, lambda *args: calls.append('alarm'))
signal.setitimer(signal.ITIMER_REAL, 0.05)
reader, writer = os.pipe()
timer = threading.Timer(0.3, os.write, (writer, b'late'))
timer.start()
print(os.read(reader, 10), calls)
timer.join()
signal.setitimer(signal.ITIMER_REAL, 0.05)
begin = time.monotonic()
time.sleep(0.2)
print(time.monotonic() - begin >= 0.2, calls)


# A handler that raises ends the call.
def handler(*args):
    raise ZeroDivisionError


signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    os.read(reader, 10)
except ZeroDivisionError:
    print('ended')
