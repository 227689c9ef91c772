"""A flowstore under attack: the attackers' sockets, the neighbour who must not notice, and the bounds."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import select
import socket
import ssl
import struct
import sys
import threading
import time
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]
from flowstore import FLOWSTORE, PROJECT, TOKEN, LocalFlowstore, run_all  # noqa: E402
from planted import secrets_in  # noqa: E402

KIB, MIB = 1 << 10, 1 << 20
PATIENCE = 30  # seconds, for what takes a moment on a machine that has nothing else to do
NEIGHBOUR, NEIGHBOURS_TOKEN = "neighbour", "planted-neighbour-token"

# What one client may cost, out of src/http/limits.h and its like: the head in its buffer with the
# places of 2000 names and values, the piece of a body, and the coroutines that serve it.
HEAD = 5 * 16 * KIB + 16 * KIB + 2000 * 64
BODY = 256 * KIB
SESSION = 32 * KIB
JSON_BODY = 10 * MIB
# An allocator does not give everything back at once, and there are buffers that many share.
SLACK = 48 * MIB

BAD_REQUEST = (b'HTTP/1.1 400 Bad Request\r\nContent-Length: 65\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n'
               b'{"error":"Bad Request","message":"Client Error","statusCode":400}')
HEAD_TOO_LARGE = (b'HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 114\r\nContent-Type: application/json\r\n'
                  b'Connection: close\r\n\r\n{"error":"Request Header Fields Too Large","message":'
                  b'"Exceeded maximum allowed HTTP header size","statusCode":431}')
TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"
UNAUTHORIZED = b'{"code":"unauthorized","error":"unauthorized"}'

# Short enough to be waited for, and long enough for a machine that is busy.
LIMITS = {"headerTimeout": 3, "idleTimeout": 10, "writeTimeout": 3}


def is_sanitized():
    return b"__asan_init" in pathlib.Path(FLOWSTORE).read_bytes()


def head(method="GET", target="/health", *fields, version="1.1", token=None):
    """The head of a request; what a field or target says is sent as it is."""
    lines = [f"{method} {target} HTTP/{version}", "Host: x", *fields]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Attacker:
    """A connection that may do anything. No call of it raises because the server ends it."""

    def __init__(self, port, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, content):
        """Sends it all; False if the server takes no more of it."""
        try:
            self.socket.sendall(content)
        except (ConnectionError, TimeoutError):
            return False
        return True

    def receive(self):
        """Everything up to the end of the connection, which must come."""
        answer = bytearray()
        with contextlib.suppress(ConnectionError):
            while piece := self.socket.recv(256 * KIB):
                answer += piece
        return bytes(answer)

    def receive_until(self, mark):
        answer = bytearray()
        with contextlib.suppress(ConnectionError):
            while mark not in answer and (piece := self.socket.recv(64 * KIB)):
                answer += piece
        return bytes(answer)

    def send_and_receive(self, content):
        """Both at once, so that neither side waits for the other for ever."""
        sender = threading.Thread(target=self.send, args=(content,))
        sender.start()
        answer = self.receive()
        sender.join(PATIENCE)
        return answer

    def flood(self, content, most):
        """Sends it again and again until the server has had enough; how many bytes that took. A
        server that takes `most` of them is not bounded."""
        sent = 0
        while sent < most:
            if not self.send(content):
                return sent
            sent += len(content)
            if select.select([self.socket], [], [], 0)[0]:
                return sent  # it answers, or has ended the connection
        raise AssertionError(f"{sent} bytes were taken")

    def end_sending(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Leaves with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def has_ended(self):
        """The server has closed the connection, whatever it said before."""
        with contextlib.suppress(ConnectionError):
            while select.select([self.socket], [], [], 0)[0]:
                if not self.socket.recv(256 * KIB):
                    return True
            return False
        return True


class Neighbour(threading.Thread):
    """Somebody else's Node-RED: on a project of its own, one request after the other, each of which
    must be answered, rightly."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.port = server.port
        self.connection = self.connect()
        self.rounds = 0
        self.keeps_connection = False
        self.problem = None
        self.is_ending = threading.Event()
        self.moved = threading.Condition()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def run(self):
        while not self.is_ending.is_set() and not self.problem:
            try:
                self.round()
            except Exception as error:  # noqa: BLE001
                self.problem = f"{type(error).__name__}: {error}"
            with self.moved:
                self.rounds += 1
                self.moved.notify_all()
        self.connection.close()

    def round(self):
        number = self.rounds
        content = f"{number}:".encode() * 500
        file = f"/v1/files/team/{NEIGHBOUR}/folder/file{number % 7}"
        scope = f"/v1/context/{NEIGHBOUR}/flow{number % 3}"
        self.expect("POST", file, 200, body=content)
        self.expect("GET", file, 200, content)
        self.expect("POST", scope, 200, body=json.dumps([{"key": "a", "value": number}]).encode(), kind="application/json")
        self.expect("GET", scope + "?key=a", 200, json.dumps([{"key": "a", "value": number}], separators=(",", ":")).encode())
        self.expect("GET", file + "-missing", 404)
        if number % 5 == 0 and not self.keeps_connection:  # a new connection is taken too
            self.connection.close()
            self.connection = self.connect()

    def expect(self, method, path, status, content=None, body=None, kind="application/octet-stream"):
        headers = {"Authorization": f"Bearer {NEIGHBOURS_TOKEN}", "Content-Type": kind}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        got = answer.read()
        if answer.status != status or (content is not None and got != content):
            raise AssertionError(f"{method} {path}: {answer.status} {got[:200]!r}")

    def is_served(self):
        """Returns after a whole round that begins now."""
        with self.moved:
            wanted = self.rounds + 2
            if not self.moved.wait_for(lambda: self.rounds >= wanted or self.problem, PATIENCE) or self.problem:
                raise AssertionError(f"the neighbour is not served: {self.problem or 'nothing comes'}")

    def end(self):
        self.is_ending.set()
        self.join(PATIENCE)
        if self.problem:
            raise AssertionError(f"the neighbour was not served: {self.problem}")


class Siege(unittest.TestCase):
    """One flowstore for all attacks of a class. After each the neighbour must have been served all
    the while, memory must have stayed below the bound, and no descriptor may be left."""

    CONFIG = {}  # more of it
    SERVER, NEIGHBOUR, SCHEME = LocalFlowstore, Neighbour, "http"

    @classmethod
    def setUpClass(cls):
        cls.run_ = run_all.Run()
        cls.addClassCleanup(cls.run_.close)
        folder = cls.run_.tmp / cls.__name__
        folder.mkdir()
        config = {
            "auth": {"type": "static", "tokens": [{"token": TOKEN, "project": PROJECT},
                                                  {"token": NEIGHBOURS_TOKEN, "project": NEIGHBOUR}, *cls.more_tokens()]},
            "context": {"type": "db", "options": {"type": "sqlite", "storage": "context.db"}},
            "limits": LIMITS, "shutdown": {"grace": 2},
            "admin": {"host": "127.0.0.1", "port": run_all.free_ports(1)}, **cls.CONFIG, **cls.more_config(folder),
        }
        cls.server = cls.SERVER(folder, **config)
        # Answers to requests without a route are logged at this level, and there are hundreds of thousands.
        cls.server.config["logging"] = {"level": "warn", "http": "warn"}
        cls.server.start(**cls.run_.environment())
        cls.addClassCleanup(cls.end_server)
        cls.warm_up()

    @classmethod
    def warm_up(cls):
        """Opens what stays open from then on: the readers of the database among it."""
        first = [cls.NEIGHBOUR(cls.server) for _ in range(4)]
        with concurrent.futures.ThreadPoolExecutor(len(first)) as pool:
            list(pool.map(Neighbour.round, first))
        for one in first:
            one.connection.close()

    @classmethod
    def more_tokens(cls):
        return []

    @classmethod
    def more_config(cls, folder):  # noqa: ARG003
        return {}

    @classmethod
    def end_server(cls):
        cls.server.stop()
        text = cls.server.logged()
        assert not re.search(r"Sanitizer|runtime error", text), text
        assert not secrets_in(text.encode()), secrets_in(text.encode())

    def setUp(self):
        self.open_before = self.settled_files()
        self.allowed = SLACK
        self.forget_most_memory()
        self.memory_before = self.server.most_memory()
        self.neighbour = self.NEIGHBOUR(self.server)
        self.neighbour.start()
        self.addCleanup(self.neighbour.end)

    def tearDown(self):
        """An attack that is held open is held until here."""
        self.neighbour.is_served()
        self.doCleanups()  # ends the attack and the neighbour
        self.assertIsNone(self.server.process.poll(), "flowstore has ended")
        self.assertLessEqual(self.files_left(), 0, "descriptors are left")
        if not is_sanitized():  # which keeps what was freed
            grown = self.server.most_memory() - self.memory_before
            self.assertLess(grown, self.allowed, f"{grown / MIB:.0f} MiB were taken")

    # ---- what is bounded
    def may_take(self, memory):
        """On top of the slack."""
        self.allowed = SLACK + memory

    def forget_most_memory(self):
        pathlib.Path(f"/proc/{self.server.process.pid}/clear_refs").write_text("5")

    def open_files(self):
        """Without those of the database's readers: as many stay open as there were reads at once."""
        count = 0
        for one in pathlib.Path(f"/proc/{self.server.process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):  # closed since
                count += "context.db" not in os.readlink(one)
        return count

    def settled_files(self):
        """Once connections that have ended are forgotten."""
        count = self.open_files()
        deadline = time.monotonic() + PATIENCE
        while self.connections() > 0 and time.monotonic() < deadline:
            time.sleep(0.05)
            count = self.open_files()
        return count

    def files_left(self):
        deadline = time.monotonic() + PATIENCE
        while (left := self.open_files() - self.open_before) > 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    # ---- attackers
    def attacker(self, **how):
        attacker = Attacker(self.server.port, **how)
        self.addCleanup(lambda: attacker.socket.close())  # whichever it has by then
        return attacker

    def attackers(self, count, **how):
        return [self.attacker(**how) for _ in range(count)]

    def all_end(self, attackers, seconds):
        """The server ends them all in so much time, and has not ended the first at once."""
        deadline = time.monotonic() + seconds
        waiting = list(attackers)
        while waiting:
            waiting = [attacker for attacker in waiting if not attacker.has_ended()]
            self.assertLess(time.monotonic(), deadline, f"{len(waiting)} connections go on")
            time.sleep(0.05)

    # ---- what the server says
    def ask(self, method, path, body=None, headers=None):
        return self.server.ask(method, path, body, headers)

    def metric(self, name):
        """The sum of a metric's values, whatever its labels are but for those named."""
        place = f"{self.SCHEME}://127.0.0.1:{self.server.config['admin']['port']}/metrics"
        unverified = ssl._create_unverified_context()
        with urllib.request.urlopen(place, timeout=PATIENCE, context=unverified) as answer:
            text = answer.read().decode()
        family, _, labels = name.partition("{")
        wanted = [label for label in labels.rstrip("}").split(",") if label]
        values = [line.rpartition(" ")[2] for line in text.splitlines()
                  if re.match(rf"{family}[ {{]", line) and all(label in line for label in wanted)]
        return sum(float(value) for value in values)

    def connections(self):
        return self.metric("flowstore_http_connections")

    def comes_true(self, condition, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
