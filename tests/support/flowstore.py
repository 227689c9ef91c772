"""flowstore as a process, and requests to it."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import run_all  # noqa: E402
from planted import log_path, secrets_in  # noqa: E402

FLOWSTORE = os.environ.get("FLOWSTORE", str(ROOT / "build/release/flowstore"))
TOKEN = "planted-token"
PROJECT = "project"
START_PATIENCE = 30  # seconds
LOG_PATIENCE = 5


class Flowstore:
    """One process. It may be killed and started again, on the same port."""

    def __init__(self, folder, driver, **more):
        """`driver` is that part of the configuration; `more` goes into it as well. In place of the whole, `config`
        may be set to a text."""
        self.home = pathlib.Path(folder)
        self.port = run_all.free_ports(1)
        self.config = {
            "host": "127.0.0.1", "port": self.port,
            "driver": driver,
            "auth": {"type": "static", "tokens": [{"token": TOKEN, "project": PROJECT}]},
            "logging": {"level": "info", "http": "warn"},
            **more,
        }
        self.program = [FLOWSTORE]  # the words of its command
        self.process = None
        self.log = log_path(folder)

    def write_config(self):
        """For commands, which find it as the server does; that writes it at every start."""
        (self.home / "etc").mkdir(parents=True, exist_ok=True)
        (self.home / "etc/flowforge-storage.yml").write_text(
            self.config if isinstance(self.config, str) else json.dumps(self.config))

    # ---- the process
    def launch(self, wrapper=(), **environment):
        """Starts it, and does not wait. `wrapper` are the words of a command that becomes it."""
        self.write_config()
        left_out = ("PORT", "NODE_ENV", "FF_FS_TEST_CONFIG")
        env = {k: v for k, v in os.environ.items() if k not in left_out and not k.startswith("AWS_")}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*wrapper, *self.program], env={**env, "FLOWFORGE_HOME": str(self.home), **environment}, cwd=self.home,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self, **how):
        """Returns when it answers."""
        self.launch(**how)
        deadline = time.monotonic() + START_PATIENCE
        while True:
            with contextlib.suppress(OSError):
                if self.ask("GET", "/health").status == 200:
                    return self
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("flowstore does not answer: " + self.logged())
            time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends it in good order, if it runs."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            code = self.process.wait(30)
            if code != 0:
                raise AssertionError(f"flowstore ended with {code}: {self.logged()}")

    def logged(self, expected=""):
        """Everything, once it has what is expected; a line may be written a little after its answer."""
        deadline = time.monotonic() + LOG_PATIENCE
        while expected not in (text := self.log.read_text(errors="replace")):
            if time.monotonic() > deadline:
                raise AssertionError(f"{expected} is not in the log: {text}")
            time.sleep(0.02)
        return text

    def most_memory(self):
        """The most bytes that it ever had resident."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^VmHWM:\s+(\d+) kB", text, re.M)[1]) << 10

    # ---- requests
    def ask(self, method, path, body=None, headers=None, timeout=60):
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            return asked(connection, method, path, body, headers)
        finally:
            connection.close()

    def write(self, name, body, **options):
        return self.ask("POST", file_path(name), body, **options)

    def append(self, name, body, **options):
        return self.ask("POST", file_path(name), body, {"FF_MODE": "append"}, **options)

    def read(self, name, headers=None, **options):
        return self.ask("GET", file_path(name), headers=headers, **options)

    def remove(self, name, **options):
        return self.ask("DELETE", file_path(name), **options)

    def remove_folder(self, name, **options):
        return self.ask("DELETE", file_path(name) + "?recursive", **options)

    # ---- what is really there: each kind of storage looks past flowstore
    def stored(self, name):
        """The content of a file; None where there is none."""
        raise NotImplementedError

    def sizes(self):
        """Bytes by the name of each file of the project."""
        raise NotImplementedError

    def begin_read(self, name):
        """A read that goes on for as long as it is wanted."""
        return Reading(self.port, name)

    def begin_write(self, name, length):
        """A connection on which the head of a write has been sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sendall(f"POST {file_path(name)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
                           f"Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n".encode())
        return connection

    def used(self):
        answer = self.ask("GET", f"/v1/quota/team/{PROJECT}")
        return json.loads(answer.body)["used"] if answer.status == 200 else None


class LocalFlowstore(Flowstore):
    """Files in a folder."""

    def __init__(self, folder, options=None, **more):
        self.root = pathlib.Path(folder) / "files"
        super().__init__(folder, {"type": "localfs", "options": {"root": str(self.root), **(options or {})}}, **more)

    def stored(self, name):
        path = self.root / "team" / PROJECT / name
        return path.read_bytes() if path.is_file() else None

    def sizes(self):
        project = self.root / "team" / PROJECT
        return {str(path.relative_to(project)): path.stat().st_size for path in project.rglob("*") if path.is_file()}

    def temporary_files(self):
        """Whatever lies below the driver's own folder, but for locks, the log and records of appends."""
        own = self.root / ".flowstore"
        return [path for path in own.rglob("*") if path.is_file() and path.name != "lock"
                and not path.name.startswith("append-") and path.parent != own / "wal"]

    def process_folders(self):
        """One for each process that lives, or has left its own behind."""
        return list((self.root / ".flowstore/tmp").iterdir())


class Reading:
    """An answer that arrives in pieces; it must be a 200."""

    def __init__(self, port, name):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.connection.request("GET", file_path(name), headers={"Authorization": f"Bearer {TOKEN}"})
        self.answer = self.connection.getresponse()
        self.broke_off = self.answer.status != 200

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def read(self, count):
        """So many bytes; fewer, and none later, where the answer ends or breaks off."""
        content = b""
        while len(content) < count and not self.broke_off:
            try:
                piece = self.answer.read(min(count - len(content), 1 << 20))
            except (http.client.HTTPException, ConnectionError):
                piece = b""
            if not piece:
                self.broke_off = bool(self.answer.length)
                break
            content += piece
        return content

    def read_all(self):
        return self.read(1 << 62)


class Reply:
    """What flowstore answered; status 0 where the connection ended before the answer did."""

    def __init__(self, status=0, body=b"", headers=()):
        self.status, self.body = status, body
        self.headers = {name.lower(): value for name, value in headers}

    def __repr__(self):
        return f"{self.status} {self.body[:200]!r}"


def file_path(name):
    return f"/v1/files/team/{PROJECT}/{name}"


def asked(connection, method, path, body=None, headers=None):
    """One request on this connection. Nobody listening is an error, an answer that ends early is not."""
    try:
        connection.connect()
    except ConnectionResetError as error:  # killed before it took the connection
        raise ConnectionRefusedError from error
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/octet-stream",
                                                **(headers or {})})
        answer = connection.getresponse()
        reply = Reply(answer.status, answer.read(), answer.getheaders())
    except (http.client.HTTPException, ConnectionError):
        return Reply()
    if told := secrets_in(reply.body):
        raise AssertionError(f"{method} {path} was answered with {told}")
    return reply
