"""One HTTP/1.1 message at a time on a socket, byte by byte as it is: for a proxy that breaks things."""
import contextlib
import re
import socket
import struct

PIECE = 65536


class Gone(Exception):
    """The peer closed or reset the connection in the middle of something."""


class Head:
    """The first line and the headers of a message, and how its body is framed."""

    def __init__(self, text):
        self.first, *self.lines = text.decode("latin-1").split("\r\n")

    def get(self, name):
        for line in self.lines:
            if line.lower().startswith(name + ":"):
                return line.split(":", 1)[1].strip()
        return None

    def replace(self, name, value):
        """Only where the header is there."""
        self.lines = [f"{name}: {value}" if line.lower().startswith(name + ":") else line for line in self.lines]

    def remove(self, name):
        self.lines = [line for line in self.lines if not line.lower().startswith(name + ":")]

    @property
    def method(self):
        return self.first.split(" ")[0]

    @property
    def target(self):
        return self.first.split(" ")[1]

    @property
    def status(self):
        return int(re.match(r"HTTP/1\.\d (\d{3})", self.first)[1])

    @property
    def is_chunked(self):
        return (self.get("transfer-encoding") or "").lower() == "chunked"

    @property
    def length(self):
        """Bytes of the body; None if the head does not say."""
        value = self.get("content-length")
        return int(value) if value is not None else None

    def bytes(self):
        return "\r\n".join([self.first, *self.lines]).encode("latin-1") + b"\r\n\r\n"


class Wire:
    """A connected socket with what was read of it too early."""

    def __init__(self, connected):
        self.socket = connected
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.early = b""

    # ---- reading
    def more(self):
        """At least one byte, or b'' at the end."""
        if self.early:
            piece, self.early = self.early, b""
            return piece
        try:
            return self.socket.recv(PIECE)
        except OSError as error:
            raise Gone from error

    def until(self, end):
        text = b""
        while end not in text:
            piece = self.more()
            if not piece:
                raise Gone
            text += piece
        text, self.early = text.split(end, 1)
        return text

    def head(self):
        """None when the peer has nothing more to say."""
        first = self.more()
        if not first:
            return None
        self.early = first
        return Head(self.until(b"\r\n\r\n"))

    def exactly(self, count):
        while count > 0:
            piece = self.more()
            if not piece:
                raise Gone
            self.early = piece[count:] + self.early
            piece = piece[:count]
            count -= len(piece)
            yield piece

    def body(self, head, has_none=False):
        """The pieces of the body, without its framing."""
        if has_none:
            return
        if head.is_chunked:
            while size := int(self.until(b"\r\n").split(b";")[0], 16):
                yield from self.exactly(size)
                self.until(b"\r\n")
            while self.until(b"\r\n"):
                pass
        elif head.length is not None:
            yield from self.exactly(head.length)
        elif head.first.startswith("HTTP/"):
            while piece := self.more():
                yield piece

    # ---- writing
    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Gone from error

    def send_body(self, head, pieces):
        for piece in pieces:
            self.send(b"%x\r\n%s\r\n" % (len(piece), piece) if head.is_chunked else piece)
        if head.is_chunked:
            self.send(b"0\r\n\r\n")

    # ---- the end
    def reset(self):
        """The peer sees "connection reset", not an end."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.close()
