import os
import sys
import threading
import warnings

warnings.simplefilter('ignore')

# Several threads import at once what none has imported before.
failed = []


def imports():
    try:
        import importlib.metadata
        import json.decoder
        import email.message
        importlib.metadata.Distribution, json.decoder.JSONDecoder, email.message.Message
    except BaseException as e:
        failed.append(repr(e))


threads = [threading.Thread(target=imports) for i in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(failed)


# A thread that forks is the main one of the child; the others have ended there.
main = threading.current_thread()


def forks():
    pid = os.fork()
    if pid == 0:
        main.join()
        print('child', threading.current_thread() is threading.main_thread(), main.is_alive(), flush=True)
        os._exit(5)
    print('parent', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


print('before', flush=True)
thread = threading.Thread(target=forks)
thread.start()
thread.join()
print(sorted(sys._current_frames()) == [threading.get_ident()])
