"""What the clients of the soak share: requests as bytes, one connection, and latencies in little memory."""
import asyncio
import json
import math
import re


def request(method, path, project, body=b""):
    kind = "application/json" if "/context/" in path else "application/octet-stream"
    content = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n" if method == "POST" else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer tok.{project}\r\n{content}\r\n"
    return head.encode() + body


class WrongAnswer(Exception):
    """An answer that is no 200, or none at all."""


class Connection:
    """A connection that is kept, one request at a time."""

    @classmethod
    async def open(cls, port):
        self = cls()
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        return self

    async def ask(self, text):
        """Sends a request; the body of its answer."""
        self.writer.write(text)
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.I)
            body = await self.reader.readexactly(int(length[1])) if length else b""
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise WrongAnswer(f"{first_line(text)}: {error!r}") from None
        if not head.startswith(b"HTTP/1.1 200 ") or not length:
            raise WrongAnswer(f"{first_line(text)}: {first_line(head)} {body[:200]!r}")
        return body

    def close(self):
        self.writer.close()


def first_line(text):
    return text.split(b"\r\n", 1)[0].decode()


class Latencies:
    """Counts by time, each 5 % longer than the one before, so that half an hour takes no more memory
    than a second."""
    STEP = math.log(1.05)

    def __init__(self, counts=None):
        self.counts = {int(step): count for step, count in (counts or {}).items()}

    def add(self, seconds):
        step = int(math.log(max(seconds, 1e-6) * 1e6) / self.STEP)
        self.counts[step] = self.counts.get(step, 0) + 1

    def merge(self, other):
        for step, count in other.counts.items():
            self.counts[step] = self.counts.get(step, 0) + count

    @property
    def count(self):
        return sum(self.counts.values())

    def quantile_ms(self, part):
        left = part * self.count
        for step in sorted(self.counts):
            left -= self.counts[step]
            if left <= 0:
                break
        return math.exp((step + 1) * self.STEP) / 1000


def context_set(value):
    return json.dumps([{"key": "count", "value": value}, {"key": "device.name", "value": f"pump {value}"}]).encode()
