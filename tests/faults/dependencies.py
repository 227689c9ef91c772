"""One flowstore with all that it depends on, each behind a proxy, and clients that never rest."""
import asyncio
import dataclasses
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "s3"), str(HERE.parent / "support")]
from flowstore import Reply, run_all  # noqa: E402
from known import NOTHING, Known  # noqa: E402
from planted import PASSWORD, secrets_in  # noqa: E402
from tcp_proxy import TcpProxy, server_tls  # noqa: E402

PLATFORM, POSTGRES, S3 = "platform", "postgres", "s3"
PARTS = (PLATFORM, POSTGRES, S3)
PAUSE = 0.15  # seconds between two requests of a client
GIVES_UP = 10  # seconds after which a client does not wait any longer
QUOTA = 1 << 30


# ---------------------------------------------------------------- the platform
class Platform:
    """Knows every token `tok.PROJECT...` of a project, and gives those that begin with q a quota. It may be
    told to answer something else."""

    def __init__(self, background):
        self.background = background
        self.other = None  # status line, headers and body for everybody
        self.server = background.run(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024))
        self.port = self.server.sockets[0].getsockname()[1]

    def says(self, status=None, body=b"{}", headers=""):
        """To everybody; without a status: what is right again."""
        self.other = status and (status, headers, body)

    def _answer(self, head):
        if self.other:
            return self.other
        project = re.match(rb"GET /account/check/project/(\S*) ", head)
        token = re.search(rb"\r\nauthorization: Bearer tok\.([\w-]+)[.\w]*\r\n", head, re.I)
        if not project or not token or project[1] != token[1]:
            return "401 Unauthorized", "", b"{}"
        return "200 OK", "", json.dumps({"quota": {"file": QUOTA}} if project[1][:1] == b"q" else {}).encode()

    async def _serve(self, reader, writer):
        try:
            while True:
                status, headers, body = self._answer(await reader.readuntil(b"\r\n\r\n"))
                writer.write(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}"
                             f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            pass
        finally:
            writer.close()


# ---------------------------------------------------------------- flowstore with what it depends on
class Stand:
    """A flowstore whose platform, PostgreSQL and S3 store are behind proxies."""

    def __init__(self, folder, background, ports, make, certificates=None):
        """`ports` are those of the parts. `make` makes the server, of a folder, the URL of the S3 store, and
        what goes into the configuration. With `certificates` everybody speaks TLS, and flowstore believes the
        one called right."""
        self.folder, self.background, self.certificates = pathlib.Path(folder), background, certificates
        self.folder.mkdir()
        self.postgres_port = ports[POSTGRES]
        self.database = self.folder.name.replace("-", "_")
        self.psql(f'CREATE DATABASE "{self.database}"', "postgres")
        self.psql(f'CREATE ROLE "{self.database}" LOGIN PASSWORD \'{PASSWORD}\'; '
                  f'ALTER DATABASE "{self.database}" OWNER TO "{self.database}"', "postgres")
        self.shown = {part: server_tls(*certificates["right"]) for part in (PLATFORM, S3)} if certificates else {}
        self.proxies = {part: TcpProxy(background, port, self.shown.get(part)) for part, port in ports.items()}
        self.server = make(self.folder, self.url(S3), **self.configuration())
        self.files = FilesOf(self)
        self.scopes = ScopesOf(self)

    def url(self, part):
        return f"http{'s' if self.certificates else ''}://127.0.0.1:{self.proxies[part].port}"

    def start(self):
        trusted = {"NODE_EXTRA_CA_CERTS": str(self.certificates["right"][0])} if self.certificates else {}
        self.server.start(**trusted)

    def configuration(self):
        return {
            "base_url": self.url(PLATFORM),
            # Short, so that tokens are asked about again during a fault; long enough to ask in time.
            "auth": {"cacheTime": "8s"},
            "context": {"type": "db", "options": {
                "type": "postgres", "host": "127.0.0.1", "port": self.proxies[POSTGRES].port,
                "database": self.database, "username": self.database, "password": PASSWORD,
                "ssl": bool(self.certificates)}},
            "telemetry": {"backend": {"prometheus": {"enabled": True}}},
        }

    def psql(self, statement, database=None):
        """The rows, one a line."""
        done = subprocess.run(
            ["psql", "-h", "127.0.0.1", "-p", str(self.postgres_port), "-U", "postgres", "-d", database or self.database,
             "-qAtc", statement], env={**os.environ, "PGPASSWORD": PASSWORD}, capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout.splitlines()

    def break_down(self, parts, fault):
        for part in parts:
            self.proxies[part].break_down(fault)

    def heal(self, parts):
        for part in parts:
            self.proxies[part].heal()

    def show(self, part, certificate):
        """Its certificate from now on, by name; nobody is connected any more."""
        self.shown[part].load_cert_chain(*self.certificates[certificate])
        self.proxies[part].drop()

    # ---- what it holds
    def metric(self, name):
        """The sum over its labels."""
        text = self.server.ask("GET", "/metrics").body.decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.M))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

    def memory(self):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)[1]) << 10

    def log_lines(self):
        """Without those about single requests, of which there may be as many as there are requests."""
        return [line for line in self.server.logged().splitlines() if '"reqId"' not in line]


def bearer(project, more=""):
    return {"Authorization": f"Bearer tok.{project}{more}"}


class FilesOf:
    """What Known asks: files are named PROJECT/NAME."""

    def __init__(self, stand):
        self.stand = stand

    def stored(self, name):
        server = self.stand.server
        if hasattr(server, "bucket"):
            return server.bucket.get(f"team/{name}")
        path = server.root / "team" / name
        return path.read_bytes() if path.is_file() else NOTHING

    def read(self, name):
        return self.stand.server.ask("GET", f"/v1/files/team/{name}", headers=bearer(name.split("/")[0]))


class ScopesOf:
    """The same for context: a scope is named PROJECT/SCOPE, and its content is its value `a`."""

    def __init__(self, stand):
        self.stand = stand

    def look(self):
        """At what stored() gives from now on."""
        rows = self.stand.psql("""SELECT project || '/' || scope, "values"->>'a' FROM "Contexts" """)
        self.rows = dict(row.split("|") for row in rows)

    def stored(self, name):
        return self.rows[f"{name}.flow"].encode() if f"{name}.flow" in self.rows else NOTHING

    def read(self, name):
        project, scope = name.split("/")
        reply = self.stand.server.ask("GET", f"/v1/context/{project}/{scope}?key=a", headers=bearer(project))
        return Reply(reply.status, value_in(reply.body)) if reply.status == 200 else reply


def value_in(body):
    return json.loads(body)[0].get("value", "").encode()


# ---------------------------------------------------------------- the load
@dataclasses.dataclass
class Answered:
    """One request of the load, and what became of it. `problem` is '' where the answer was right, with or
    without a sick part."""
    kind: str
    needs: frozenset
    started: float
    ended: float
    reply: Reply
    is_good: bool
    problem: str

    @property
    def seconds(self):
        return self.ended - self.started


class Line:
    """A connection to flowstore that is kept, one request at a time, and made anew when it has ended."""

    def __init__(self, port):
        self.port, self.writer = port, None

    async def ask(self, method, path, headers, body=b""):
        """Status 0: there was no whole answer, or none in time."""
        kind = "application/json" if "/context/" in path else "application/octet-stream"
        head = {"Host": "x", "Content-Type": kind, "Content-Length": len(body), **headers}
        text = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in head.items()) + "\r\n"
        try:
            return await asyncio.wait_for(self._ask(text.encode() + body), GIVES_UP)
        except (asyncio.IncompleteReadError, OSError, asyncio.TimeoutError):
            self.close()
            return Reply()

    async def _ask(self, request):
        if not self.writer:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        self.writer.write(request)
        first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
        headers = [line.split(": ", 1) for line in lines]
        reply = Reply(int(first.split()[1]), b"", headers)
        if "content-length" in reply.headers:
            reply.body = await self.reader.readexactly(int(reply.headers["content-length"]))
        if reply.headers.get("connection") == "close":
            self.close()
        return reply

    def close(self):
        if self.writer:
            self.writer.close()
        self.writer = None


class Load:
    """Clients of several projects. Each step of one is a request, of which it says what it needs."""
    runs = itertools.count()

    def __init__(self, stand):
        self.stand = stand
        self.run = f"run{next(Load.runs)}"  # part of all names: nobody has written there before
        self.waiting = {}  # since when, by client
        self.answers = []
        self.files, self.scopes = Known(stand.files), Known(stand.scopes)
        self.is_over = False
        self.tokens = itertools.count()
        # Changes of one object take turns through PostgreSQL, because Ceph knows no conditional DELETE.
        is_on_s3 = hasattr(stand.server, "bucket")
        self.of_reads = {S3} if is_on_s3 else set()
        self.of_changes = {S3, POSTGRES} if is_on_s3 else set()

    def clients(self):
        plain, limited = [f"p{number}" for number in range(4)], ["q0", "q1"]
        yield from [self.health] * 2
        yield from (lambda line, project=project: self.new_token(line, project) for project in plain[:3])
        for project in plain:
            yield self.file_writer(project, "file")
            yield self.context_writer(project)
        for project in limited:
            yield self.file_writer(project, "limited file")
        for project in plain:
            yield self.file_reader(project)
            yield self.context_reader(project)

    # ---- running
    def start(self):
        """Returns when every client has begun."""
        self.stand.background.run(self._start())

    def stop(self):
        self.is_over = True
        self.stand.background.run(self._join())

    async def _start(self):
        self.tasks = [asyncio.ensure_future(self._run(client)) for client in self.clients()]

    async def _join(self):
        await asyncio.gather(*self.tasks)

    async def _run(self, step):
        line = Line(self.stand.server.port)
        while not self.is_over:
            await step(line)
            await asyncio.sleep(PAUSE)
        line.close()

    def since(self, moment):
        """The requests that were answered at this time or later."""
        return [one for one in list(self.answers) if one.ended >= moment]

    def last_trouble(self, moment):
        """When a client last had something else than a good answer, or has begun to wait for one for too
        long; no earlier than `moment`."""
        now = time.monotonic()
        stuck = any(now - since > 1 for since in list(self.waiting.values()))
        return now if stuck else max([one.ended for one in self.since(moment) if not one.is_good], default=moment)

    async def ask(self, line, kind, needs, method, path, headers, body=b"", good=(200,)):
        self.waiting[line] = started = time.monotonic()
        reply = await line.ask(method, path, headers, body)
        del self.waiting[line]
        is_good = reply.status in good
        self.answers.append(Answered(kind, frozenset(needs), started, time.monotonic(), reply, is_good,
                                     "" if is_good else what_is_wrong(reply)))
        return reply

    def wrong_content(self, problem):
        """Of the last answer."""
        self.answers[-1].is_good, self.answers[-1].problem = False, problem

    # ---- clients
    async def health(self, line):
        await self.ask(line, "health", (), "GET", "/health", {})

    async def new_token(self, line, project):
        """Checks a path, which no store is asked for."""
        await self.ask(line, "new token", (PLATFORM,), "POST", f"/v1/files/team/{project}/folder",
                       {**bearer(project, f".{next(self.tokens)}"), "FF_MODE": "ensureDir"})

    def file_writer(self, project, kind):
        """Replaces, appends and removes, three files in turns."""
        turns = itertools.count()

        async def step(line):
            turn = next(turns)
            name = f"{project}/{self.run}-{turn % 3}"
            path, headers, body = f"/v1/files/team/{name}", bearer(project), f"{project} {turn};".encode() * 20
            if turn % 7 == 6:
                reply = await self.ask(line, f"{kind} removal", self.of_changes, "DELETE", path, headers, good=(200, 400))
                self.files.removed(name, reply)
            elif turn % 2:
                reply = await self.ask(line, f"{kind} append", self.of_changes, "POST", path, {**headers, "FF_MODE": "append"}, body)
                self.files.appended(name, body, reply)
            else:
                reply = await self.ask(line, f"{kind} write", self.of_changes, "POST", path, headers, body)
                self.files.replaced(name, body, reply)
        return step

    def file_reader(self, project):
        """Reads what it has written once."""
        name, content = f"{project}/{self.run}-kept", f"{project} kept".encode() * 50
        is_written = False

        async def step(line):
            nonlocal is_written
            if not is_written:
                reply = await self.ask(line, "file write", self.of_changes, "POST", f"/v1/files/team/{name}", bearer(project), content)
                self.files.replaced(name, content, reply)
                is_written = reply.status == 200
                return
            reply = await self.ask(line, "file read", self.of_reads, "GET", f"/v1/files/team/{name}", bearer(project))
            if reply.status == 200 and reply.body != content:
                self.wrong_content("another content than was written")
        return step

    def context_writer(self, project):
        turns = itertools.count()

        async def step(line):
            turn = next(turns)
            name, value = f"{project}/{self.run}-{turn % 2}", f"{turn}"
            reply = await self.ask(line, "context set", (POSTGRES,), "POST", f"/v1/context/{name}", bearer(project),
                                   json.dumps([{"key": "a", "value": value}]).encode())
            self.scopes.replaced(name, value.encode(), reply)
        return step

    def context_reader(self, project):
        name, is_written = f"{project}/{self.run}-kept", False

        async def step(line):
            nonlocal is_written
            if not is_written:
                reply = await self.ask(line, "context set", (POSTGRES,), "POST", f"/v1/context/{name}", bearer(project),
                                       json.dumps([{"key": "a", "value": "kept"}]).encode())
                self.scopes.replaced(name, b"kept", reply)
                is_written = reply.status == 200
                return
            reply = await self.ask(line, "context read", (POSTGRES,), "GET", f"/v1/context/{name}?key=a", bearer(project))
            if reply.status == 200 and value_in(reply.body) != b"kept":
                self.wrong_content("another value than was set")
        return step

    def lost(self):
        """What is not there that was acknowledged, or there that nobody wrote."""
        self.stand.scopes.look()
        return [problem for known in (self.files, self.scopes) for name in sorted(known.possible)
                if (problem := known.problem(name))]


def what_is_wrong(reply):
    """A part that is sick is a reason for a 503 that says when to come again, and one that does not let us in
    for a 500 that says so; for nothing else."""
    if told := secrets_in(reply.body):
        return f"the answer holds {told}"
    if reply.status == 500 and b"The file storage refused" in reply.body:
        return ""
    if reply.status != 503:
        return f"answered with {reply}"
    if "retry-after" not in reply.headers:
        return "503 without Retry-After"
    answer = json.loads(reply.body)
    if not answer.get("error") or not answer.get("code"):
        return f"503 without error or code: {reply}"
    return ""
