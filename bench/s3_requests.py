"""What each request to flowstore asks of the store and of PostgreSQL, counted: a part of s3.

The store's own access log says what it was asked, flowstore's metrics how many statements it sent.
"""
import http.client
import re
import threading
import time
import urllib.request
import uuid
from collections import Counter
from dataclasses import dataclass, field

from peers import Failed
from s3_peers import BUCKET, token

MIB = 1 << 20
TOGETHER = 16
PATIENCE = 10  # seconds for a line of the log
LINE = re.compile(rb'beast: .*? "(\w+) (\S+) HTTP')
STATEMENTS = re.compile(r"^flowstore_file_sharing_statements_total (\d+)", re.M)


@dataclass
class Step:
    """A request; those of one project come in this order."""
    name: str
    method: str
    path: str
    body: bytes = None
    headers: dict = field(default_factory=dict)
    times: int = 1  # at once
    status: int = 200


APPEND = {"FF_MODE": "append"}
STEPS = [
    Step("first write of a project", "POST", "a", b"x" * 100),
    Step("write, new file", "POST", "b", b"x" * 100),
    Step("write, replaces", "POST", "b", b"y" * 100),
    Step("write of 12 MiB", "POST", "large", b"x" * 12 * MIB),
    Step("write with If-Match: *", "POST", "b", b"z" * 100, {"If-Match": "*"}),
    Step("append", "POST", "b", b"x" * 100, APPEND),
    Step("append, new file", "POST", "c", b"x" * 100, APPEND),
    Step(f"{TOGETHER} appends to one file at once", "POST", "c", b"x" * 100, APPEND, TOGETHER),
    Step("append to 12 MiB", "POST", "large", b"x" * 100, APPEND),
    Step("read", "GET", "b"),
    Step("read of 12 MiB", "GET", "large"),
    Step("read of a range", "GET", "b", headers={"Range": "bytes=0-9"}, status=206),
    Step("read with If-None-Match, changed", "GET", "b", headers={"If-None-Match": '"0"'}),
    Step("read with If-None-Match, unchanged", "GET", "b", headers={"If-None-Match": "*"}, status=304),
    Step("HEAD", "HEAD", "b"),
    Step("read, no such file", "GET", "none", status=404),
    Step("read, no such file, 2 folders deep", "GET", "no/such/none", status=404),
    Step("delete", "DELETE", "c"),
    Step("delete, no such file", "DELETE", "none", status=400),
    Step("usage of the project", "GET", None),
]


class Counted:
    """One server and one of its projects."""

    def __init__(self, peer, project, has_quota):
        self.peer, self.project = peer, project
        self.token = token(project, has_quota)
        self.log = peer.store.folder / "log/client.rgw.log"

    def count(self, step):
        """(requests to the store by kind, statements)."""
        begin, statements = self.log.stat().st_size, self.statements()
        threads = [threading.Thread(target=self.ask, args=(step,)) for _ in range(step.times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.asked_since(begin), self.statements() - statements

    def ask(self, step):
        connection = http.client.HTTPConnection("127.0.0.1", self.peer.server.port, timeout=60)
        path = f"/v1/quota/team/{self.project}" if step.path is None else f"/v1/files/team/{self.project}/{step.path}"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/octet-stream", **step.headers}
        connection.request(step.method, path, step.body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != step.status:
            raise Failed(f"{step.name}: {answer.status}")
        connection.close()

    def statements(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.peer.server.port}/metrics", timeout=10) as answer:
            found = STATEMENTS.search(answer.read().decode())
        return int(found[1]) if found else 0

    def asked_since(self, begin):
        """The log is written behind the store's back: a request of our own shows that it has come so far."""
        mark = f"mark-{uuid.uuid4()}"
        self.peer.store.bucket.get(mark)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with open(self.log, "rb") as log:
                log.seek(begin)
                text = log.read()
            if mark.encode() in text:
                return Counter(kind_of(*found) for found in LINE.findall(text[:text.index(mark.encode())]) if b"mark-" not in found[1])
            time.sleep(0.05)
        raise Failed("the store's log does not say what it was asked")


def kind_of(method, target):
    method, target = method.decode(), target.decode()
    path, _, query = target.partition("?")
    if path.strip("/") == BUCKET:
        return "LIST" if method == "GET" else f"{method} of many"
    if "partNumber=" in query:
        return "PUT part"
    if "uploadId=" in query:
        return "complete" if method == "POST" else "abort"
    return "begin upload" if "uploads" in query else method


def shown(asked, statements):
    words = ", ".join(kind if number == 1 else f"{number} {kind}" for kind, number in sorted(asked.items()))
    return "; ".join(filter(None, [words, f"{statements} SQL" if statements else ""])) or "nothing"


def lines(alone, shared):
    """`alone` has no PostgreSQL, `shared` has one."""
    columns = {"alone": Counted(alone, "p1", False), "alone, quota": Counted(alone, "q62", True),
               "PostgreSQL": Counted(shared, "p2", False), "PostgreSQL, quota": Counted(shared, "q63", True)}
    for peer in (alone, shared):  # what the store can do has been tried, and connections are there
        Counted(peer, "p0", False).count(Step("anything", "POST", "warm", b"x"))
    text = ["### Requests to the store", "",
             "What one request asks, from the access log of the store, after `;` the statements to PostgreSQL. The store is Ceph 16, which has "
             "no conditional DELETE or completion of uploads: with PostgreSQL, two statements of each change are the file's lock. Appends at the "
             "same time join as they meet: their numbers differ from run to run.", "",
             "| request | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for step in STEPS:
        counts = [column.count(step) for column in columns.values()]
        text.append(f"| {step.name} | " + " | ".join(shown(*count) for count in counts) + " |")
    return text
