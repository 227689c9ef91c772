"""One connection that asks and waits: what a single caller notices, and bodies of any length."""
import re
import socket
import time

from peers import Failed

PIECE = bytes(1 << 20)
HEAD_PIECE = 1 << 16


class Client:
    """A keep-alive connection to a server on this machine. Any other answer than 2xx is a failure, unless `takes_any`."""

    def __init__(self, port, token=None, patience=60, takes_any=False):
        self.token, self.takes_any = token, takes_any
        self.socket = socket.create_connection(("127.0.0.1", port), patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def ask(self, method, path, body=None, kind="application/octet-stream"):
        """Seconds until the whole answer was there."""
        return self.exchange(method, path, len(body) if body is not None else None, body or b"", kind)

    def upload(self, method, path, size):
        """The same, of a body of so many zeros, which are not all in memory."""
        return self.exchange(method, path, size, b"", "application/octet-stream")

    def answer(self, path):
        """The bytes of a whole answer, head and body."""
        head, length, rest = self.begin("GET", path, None, b"", "")
        while len(rest) < length:
            rest += self.more()
        return head + b"\r\n\r\n" + rest

    def exchange(self, method, path, size, body, kind):
        started = time.perf_counter()
        _, length, rest = self.begin(method, path, size, body, kind)
        self.skip(length - len(rest))
        return time.perf_counter() - started

    def begin(self, method, path, size, body, kind):
        """Sends the request; gives the head of its answer, the length of the body, and what has come of it."""
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        if size is not None:
            lines += [f"Content-Type: {kind}", f"Content-Length: {size}"]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        if size is not None:
            self.send_zeros(size - len(body))
        return self.head(method, path)

    def send_zeros(self, size):
        view = memoryview(PIECE)
        for sent in range(0, size, len(PIECE)):
            self.socket.sendall(view[:min(len(PIECE), size - sent)])

    def head(self, method, path):
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.more()
        head, _, rest = data.partition(b"\r\n\r\n")
        if not self.takes_any and not re.match(rb"HTTP/1\.1 2\d\d", head):
            raise Failed(f"{method} {path}: {data[:300]!r}")
        length = re.search(rb"content-length: (\d+)", head, re.I)
        return head, int(length[1]) if length else 0, rest

    def skip(self, count):
        buffer = bytearray(min(max(count, 1), len(PIECE)))
        while count > 0:
            got = self.socket.recv_into(buffer, min(count, len(buffer)))
            if got == 0:
                raise Failed("the server closed the connection in the middle of an answer")
            count -= got

    def more(self):
        piece = self.socket.recv(HEAD_PIECE)
        if not piece:
            raise Failed("the server closed the connection")
        return piece
