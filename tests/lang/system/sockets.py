import select
import socket
import threading

a, b = socket.socketpair()
a.sendall(b'abc')
print(b.recv(10), a.getblocking(), a.gettimeout(), a.family, a.type, a.proto)
buffer = bytearray(5)
a.send(b'12')
print(b.recv_into(buffer), buffer)
print(a.sendmsg([b'one', b'two']), b.recvmsg(100))
b.setblocking(False)
try:
    b.recv(1)
except BlockingIOError as e:
    print(e.errno)
b.settimeout(0.05)
try:
    b.recv(1)
except TimeoutError as e:
    print(repr(e), b.timeout)
print(select.select([b], [a], [], 0) == ([], [a], []))
a.shutdown(socket.SHUT_WR)
print(b.recv(1), select.select([b], [], [], 1) == ([b], [], []))
fd = a.detach()
print(a.fileno(), fd >= 0)
socket.close(fd)
b.close()
try:
    b.send(b'x')
except OSError as e:
    print(e)

# Open files go through a socket.
left, right = socket.socketpair()
reader, writer = __import__('os').pipe()
socket.send_fds(left, [b'f'], [writer])
data, (sent,), flags, address = socket.recv_fds(right, 10, 1)
__import__('os').write(sent, b'through')
print(data, flags, address, __import__('os').read(reader, 10))
left.close(), right.close()

server = socket.create_server(('127.0.0.1', 0))
port = server.getsockname()[1]


def serve():
    connection, address = server.accept()
    print(address[0])
    with connection:
        connection.sendall(connection.recv(100).upper())


thread = threading.Thread(target=serve)
thread.start()
with socket.create_connection(('127.0.0.1', port)) as client:
    client.send(b'hello')
    print(client.recv(100), client.getpeername() == ('127.0.0.1', port))
thread.join()
server.close()

receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(('127.0.0.1', 0))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.sendto(b'packet', receiver.getsockname())
print(receiver.recvfrom(10)[0])
receiver.close(), sender.close()

print(socket.inet_aton('1.2.3'), socket.inet_ntoa(b'\1\2\3\4'))
print(socket.inet_pton(socket.AF_INET6, '::1'), socket.inet_ntop(socket.AF_INET6, bytes(15) + b'\1'))
print(socket.htons(1), socket.ntohl(1), socket.getaddrinfo('127.0.0.1', 80, type=socket.SOCK_STREAM))


def fails(f):
    try:
        f()
    except Exception as e:
        print(type(e).__name__, e)


plain = socket.socket()
fails(lambda: plain.bind('x'))
fails(lambda: plain.bind(('127.0.0.1', 70000)))
fails(lambda: plain.bind(('127.0.0.1',)))
fails(lambda: plain.settimeout(-1))
fails(lambda: plain.settimeout('1'))
fails(lambda: plain.sendto(b''))
fails(lambda: plain.send('text'))
fails(lambda: plain.recv(-1))
fails(lambda: socket.inet_aton('x'))
fails(lambda: socket.htons(-1))
fails(lambda: socket.getservbyname('no such service'))
fails(lambda: socket.socket(fileno=-1))
fails(lambda: select.select([], [], [], -1))
fails(lambda: select.select(1, [], []))
fails(lambda: select.select(['x'], [], []))
plain.close()

poll = select.poll()
reader, writer = __import__('os').pipe()
poll.register(reader, select.POLLIN)
print(poll.poll(0))
__import__('os').write(writer, b'x')
print(poll.poll() == [(reader, select.POLLIN)])
poll.unregister(reader)
fails(lambda: poll.modify(reader, 1))
with select.epoll() as epoll:
    epoll.register(writer, select.EPOLLOUT)
    print(epoll.poll(1) == [(writer, select.EPOLLOUT)], epoll.closed)
print(epoll.closed)
fails(epoll.fileno)
