import os
import subprocess
import sys

print(subprocess.run(['echo', 'hi'], capture_output=True))
print(subprocess.check_output('echo a; exit 0', shell=True, text=True))
cat = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(cat.communicate(b'hello'), cat.returncode)
try:
    subprocess.run(['sleep', '5'], timeout=0.1)
except subprocess.TimeoutExpired as e:
    print(e.cmd)
try:
    subprocess.run(['/no/such/program'])
except OSError as e:
    print(type(e).__name__, e)
try:
    subprocess.run(['true'], cwd='/no/such/folder')
except OSError as e:
    print(type(e).__name__, e)
try:
    subprocess.check_call('exit 3', shell=True)
except subprocess.CalledProcessError as e:
    print(e)
print(subprocess.run(['pwd'], cwd='/', capture_output=True, preexec_fn=lambda: None).stdout)
try:
    subprocess.run(['true'], preexec_fn=lambda: 1 / 0)
except subprocess.SubprocessError as e:
    print(e)
killed = subprocess.Popen(['sleep', '5'])
killed.terminate()
print(killed.wait())

# The exit code of a child that was forked.
for end in (lambda: sys.exit(7), lambda: None, lambda: os._exit(3)):
    pid = os.fork()
    if pid == 0:
        end()
        sys.exit()
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

# The hash seed.
program = 'print(hash("abc"), hash(b"xyz"), hash("é"))'
for seed in '0', '1', '42', '4294967295':
    env = dict(os.environ, PYTHONHASHSEED=seed)
    print(subprocess.run([sys.executable, '-c', program], env=env, capture_output=True, text=True).stdout, end='')
env = dict(os.environ, PYTHONHASHSEED='random')
seen = {subprocess.run([sys.executable, '-c', program], env=env, capture_output=True).stdout for i in range(3)}
print(len(seen) > 1)
wrong = dict(os.environ, PYTHONHASHSEED='4294967296')
done = subprocess.run([sys.executable, '-c', ''], env=wrong, capture_output=True, text=True)
print(done.returncode, done.stderr.splitlines()[0])
