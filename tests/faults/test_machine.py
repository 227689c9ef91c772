#!/usr/bin/env python3
"""flowstore on a sick machine: disks that fail, fill up or become read-only, no descriptors, no memory.

Needs a build without sanitizers, such as build/release: failing calls are preloaded.
"""
import array
import contextlib
import errno
import json
import mmap
import os
import pathlib
import resource
import signal
import socket
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]
from flowstore import PROJECT, TOKEN, LocalFlowstore, file_path, run_all  # noqa: E402
from known import Known  # noqa: E402

CALLS = ("write", "sync", "rename", "open", "unlink", "mkdir", "truncate")
FULL = (errno.ENOSPC, errno.EDQUOT)
PATIENCE = 10  # seconds
HANGS = -1
LARGE = bytes(600_000)
MIB = 1 << 20


def setUpModule():
    global run, failing
    run = run_all.Run()
    unittest.addModuleCleanup(run.close)
    failing = run.tmp / "failing_calls.so"
    run.command("cc", "-shared", "-fPIC", "-O1", "-o", failing, HERE / "failing_calls.c", "-ldl", log="cc")


class Machine(unittest.TestCase):
    """One flowstore with local files and SQLite, on a disk of its own that can fail."""

    def begin(self, **more):
        self.folder = run.tmp / self.id().rpartition(".")[2]
        self.disk = self.folder / "disk"
        self.disk.mkdir(parents=True)
        self.server = LocalFlowstore(self.folder, context={"type": "db", "options": {
            "type": "sqlite", "storage": str(self.disk / "context.db")}}, **more)
        self.server.root = self.disk / "files"
        self.server.config["driver"]["options"]["root"] = str(self.server.root)
        self.server.config["driver"]["quota"] = 1 << 40
        self.addCleanup(self.server.stop)
        self.known = Known(self.server)

    def begin_failing(self, **more):
        """With calls that can be made to fail."""
        self.begin(**more)
        switches = self.folder / "switches"
        switches.write_bytes(bytes(4 * len(CALLS)))
        with open(switches, "r+b") as file:
            self.switches = mmap.mmap(file.fileno(), 4 * len(CALLS))
        self.addCleanup(self.switches.close)
        self.server.start(LD_PRELOAD=str(failing), FAILING_CALLS=str(switches), FAILING_UNDER=str(self.disk))

    def break_call(self, call, error):
        at = 4 * CALLS.index(call)
        self.switches[at:at + 4] = array.array("i", [error]).tobytes()

    # ---- requests
    def write(self, name, body):
        reply = self.server.write(name, body)
        self.known.replaced(name, body, reply)
        return reply

    def append(self, name, body):
        reply = self.server.append(name, body)
        self.known.appended(name, body, reply)
        return reply

    def set_context(self, value, scope="flow"):
        return self.server.ask("POST", f"/v1/context/{PROJECT}/{scope}", json.dumps([{"key": "a", "value": value}]),
                               {"Content-Type": "application/json"})

    def context(self, scope="flow"):
        reply = self.server.ask("GET", f"/v1/context/{PROJECT}/{scope}?key=a")
        self.assertEqual(reply.status, 200, reply)
        return json.loads(reply.body)[0].get("value")

    # ---- what must hold
    def refuses(self, reply, status):
        self.assertEqual(reply.status, status, reply)
        told = json.loads(reply.body)
        self.assertIn("error", told)
        self.assertNotIn(str(self.disk).encode(), reply.body)
        if status == 503:
            self.assertIn("retry-after", reply.headers)

    def keeps_everything(self):
        self.assertEqual(self.known.problems(), [])
        # Of a change that failed nobody knows at once whether it happened: until somebody has looked, it counts.
        self.comes_true(lambda: self.server.used() == sum(self.server.sizes().values()), "bytes are miscounted")
        self.assertEqual(self.server.temporary_files(), [])

    def log_lines(self):
        return len(self.server.logged().splitlines())

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.server.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def does_not_spin(self):
        before = self.processor_seconds()
        time.sleep(1)
        self.assertLess(self.processor_seconds() - before, 0.5)

    def comes_true(self, condition, message):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, message)
            time.sleep(0.05)


class Disk(Machine):
    def test_a_call_that_fails_changes_nothing(self):
        self.begin_failing()
        for name in ("replaced", "appended"):
            self.assertEqual(self.write(name, b"before").status, 200)
        for call, error in [(call, error) for call in ("write", "sync", "rename", "open") for error in
                            (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)]:
            with self.subTest(call=call, error=errno.errorcode[error]):
                status = 507 if error in FULL else 503
                self.break_call(call, error)
                for body in (b"after", LARGE):
                    self.refuses(self.write("replaced", body), status)
                    self.refuses(self.write(f"new-{call}", body), status)
                    if call not in ("rename", "open"):  # which an append by way of the log does not need
                        self.refuses(self.append("appended", body), status)
                if call != "open":
                    self.assertEqual(self.server.read("replaced").body, b"before")
                self.break_call(call, 0)
                # Whatever the last sync of a folder refused may be seen, as docs/storage.md says.
                self.known.problems()
                # The log is made again by a write, which may take a moment.
                self.comes_true(lambda: self.write("replaced", b"before").status == 200, "writes are refused")
                self.keeps_everything()

    def test_what_cannot_be_removed_is_still_there(self):
        self.begin_failing()
        self.write("folder/file", b"content")
        self.break_call("unlink", errno.EIO)
        self.refuses(self.server.remove("folder/file"), 503)
        self.refuses(self.server.remove_folder("folder"), 503)
        self.assertEqual(self.server.read("folder/file").body, b"content")
        self.break_call("unlink", 0)
        self.keeps_everything()

    def test_a_folder_that_cannot_be_made(self):
        self.begin_failing()
        for error, status in ((errno.EIO, 503), (errno.ENOSPC, 507), (errno.EMLINK, 503)):
            self.break_call("mkdir", error)
            self.refuses(self.write("new/folder/file", b"content"), status)
        self.break_call("mkdir", 0)
        self.assertEqual(self.write("new/folder/file", b"content").status, 200)
        self.keeps_everything()

    def test_an_append_that_cannot_be_taken_back_is_not_torn_later(self):
        self.begin_failing()
        self.write("log", b"first\n")
        self.break_call("sync", errno.EIO)
        self.break_call("truncate", errno.EIO)
        self.refuses(self.append("log", b"second\n"), 503)
        self.break_call("sync", 0)
        self.break_call("truncate", 0)
        self.assertEqual(self.known.problem("log"), "")
        self.assertEqual(self.append("log", b"third\n").status, 200)
        self.assertEqual(self.known.problem("log"), "")

    def test_context_that_cannot_be_written_is_as_it_was(self):
        self.begin_failing()
        self.assertEqual(self.set_context("before").status, 200)
        for call, error in [(call, error) for call in ("write", "sync") for error in (errno.EIO, errno.ENOSPC)]:
            with self.subTest(call=call, error=errno.errorcode[error]):
                self.break_call(call, error)
                reply = self.set_context("after")
                self.refuses(reply, 507 if (call, error) == ("write", errno.ENOSPC) else 503)
                self.assertEqual(self.context(), "before")
                self.break_call(call, 0)
                self.comes_true(lambda: self.set_context("before").status == 200, "it stays refused")
                self.assertEqual(self.context(), "before")

    def test_many_failures_are_few_lines_and_no_spinning(self):
        self.begin_failing()
        self.write("kept", b"content")
        self.set_context("kept")
        before = self.log_lines()
        self.break_call("write", errno.EIO)
        self.break_call("sync", errno.EIO)
        for number in range(200):
            self.assertEqual(self.write(f"file{number % 7}", b"x").status, 503)
            self.assertEqual(self.set_context("x").status, 503)
        self.does_not_spin()
        # One line per request is what logging.http: warn says of an answer of 5xx.
        lines = self.server.logged().splitlines()[before:]
        ours = [line for line in lines if "request completed" not in line]
        self.assertLess(len(ours), 40, ours[:5])
        self.break_call("write", 0)
        self.break_call("sync", 0)
        self.assertEqual(self.server.read("kept").body, b"content")
        self.assertEqual(self.write("kept", b"again").status, 200)
        self.comes_true(lambda: self.set_context("again").status == 200, "context stays refused")
        self.keeps_everything()


    def test_a_disk_that_never_answers_holds_up_neither_others_nor_the_end(self):
        self.begin_failing(shutdown={"grace": 1})
        self.write("kept", b"content")
        self.set_context("kept")
        self.break_call("sync", HANGS)
        stuck = [self.server.begin_write(f"new{number}", 4) for number in range(8)]
        for connection in stuck:
            connection.sendall(b"body")
        for _ in range(20):
            self.assertEqual(self.server.read("kept").body, b"content")
            self.assertEqual(self.context(), "kept")
        self.server.stop()
        self.assertIn("requests were cut off", self.server.logged("flowstore stopped"))
        for connection in stuck:
            self.assertEqual(connection.recv(100), b"")
            connection.close()
        self.server.start()
        self.assertEqual(self.server.read("kept").body, b"content")
        self.assertEqual(self.context(), "kept")

    def test_a_disk_that_answers_again_while_the_process_ends(self):
        """Requests that were cut off end with their loops, also those that wait for each other."""
        self.begin_failing(shutdown={"grace": 1})
        self.write("kept", b"content")
        self.break_call("sync", HANGS)
        stuck = [self.server.begin_write("same" if number < 5 else f"new{number}", 4) for number in range(10)]
        for connection in stuck:
            connection.sendall(b"body")
        self.server.process.send_signal(signal.SIGTERM)
        self.server.logged("requests were cut off")
        self.break_call("sync", 0)
        self.assertEqual(self.server.process.wait(PATIENCE), 0, self.server.logged())
        self.assertIn("flowstore stopped", self.server.logged())
        for connection in stuck:
            connection.close()
        self.server.start()
        self.assertEqual(self.server.read("kept").body, b"content")

    def test_a_disk_that_becomes_read_only(self):
        """As the kernel makes it after an error, which mount(8) cannot do while files are open."""
        self.begin_failing()
        self.write("kept", b"content")
        self.set_context("kept")
        changing = ("write", "sync", "rename", "unlink", "mkdir", "truncate")
        for call in changing:
            self.break_call(call, errno.EROFS)
        self.refuses(self.write("kept", b"new"), 503)
        self.refuses(self.append("kept", b"new"), 503)
        self.refuses(self.server.remove("kept"), 503)
        self.refuses(self.server.remove_folder(""), 503)
        self.refuses(self.set_context("new"), 503)
        self.assertEqual(self.server.read("kept").body, b"content")
        self.assertEqual(self.context(), "kept")
        for call in changing:
            self.break_call(call, 0)
        self.assertEqual(self.write("kept", b"new").status, 200)
        self.comes_true(lambda: self.set_context("new").status == 200, "context stays refused")
        # What could not be removed goes at the next start, as after a crash.
        self.assertEqual(self.server.read("kept").body, b"new")
        self.server.kill()
        self.server.start()
        self.keeps_everything()


@unittest.skipIf(os.geteuid() != 0, "only root may mount")
class Mount(Machine):
    """A file system of its own."""

    def begin_on(self, size):
        self.begin()
        run.command("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", self.disk, log="mount")
        self.addCleanup(run.command, "umount", "-l", self.disk, log="mount")
        self.addCleanup(self.server.stop)

    def test_a_full_disk_takes_nothing_and_loses_nothing(self):
        self.begin_on("8M")
        self.server.start()
        self.write("kept", b"content")
        self.set_context("kept")
        filler = self.disk / "filler"
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(65536))
        for body in (b"x" * 70_000, LARGE, bytes(4 * MIB)):
            self.refuses(self.write("kept", body), 507)
            self.refuses(self.write("new", body), 507)
            self.refuses(self.append("kept", body), 507)
        self.refuses(self.set_context("x" * 200_000), 507)
        self.assertEqual(self.server.read("kept").body, b"content")
        self.assertEqual(self.context(), "kept")
        self.assertEqual(self.server.remove("kept").status, 200)  # makes room also when there is none
        self.known.possible["kept"] = {None}
        filler.unlink()
        self.assertEqual(self.write("kept", LARGE).status, 200)
        self.comes_true(lambda: self.set_context("again").status == 200, "context stays refused")
        self.keeps_everything()


class Limits(Machine):
    def limit(self, kind, soft):
        _, hard = resource.prlimit(self.server.process.pid, kind)
        resource.prlimit(self.server.process.pid, kind, (soft if soft is not None else hard, hard))

    def open_files(self):
        return len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=PATIENCE)
        self.addCleanup(connection.close)
        return connection

    def ask_on(self, connection, method, path, body=b""):
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
                           f"Content-Type: application/octet-stream\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = connection.recv(65536)
            if not piece:
                return 0
            answer += piece
        return int(answer.split()[1])

    def test_without_descriptors_who_is_there_is_served_and_nobody_spins(self):
        self.begin()
        self.server.start()
        self.write("kept", b"content")
        connection = self.connect()
        self.assertEqual(self.ask_on(connection, "GET", "/health"), 200)
        before = self.log_lines()
        self.limit(resource.RLIMIT_NOFILE, self.open_files() + 1)
        waiting = [self.connect() for _ in range(20)]  # more than can be taken
        self.does_not_spin()
        self.assertEqual(self.ask_on(connection, "GET", "/health"), 200)
        self.assertIn(self.ask_on(connection, "POST", file_path("new"), b"x"), (200, 503))
        self.assertLess(self.log_lines() - before, 40)
        self.limit(resource.RLIMIT_NOFILE, None)
        for one in waiting:  # nobody was turned away
            self.assertEqual(self.ask_on(one, "GET", file_path("kept")), 200)
        self.assertEqual(self.write("kept", b"again").status, 200)

    def test_writes_without_descriptors_are_refused(self):
        self.begin()
        self.server.start()
        self.write("kept", b"content")
        connection = self.connect()
        self.assertEqual(self.ask_on(connection, "GET", "/health"), 200)
        self.limit(resource.RLIMIT_NOFILE, self.open_files())
        self.assertEqual(self.ask_on(connection, "POST", file_path("kept"), b"new"), 503)
        self.limit(resource.RLIMIT_NOFILE, None)
        self.assertEqual(self.server.read("kept").body, b"content")
        self.assertEqual(self.write("kept", b"new").status, 200)
        self.keeps_everything()

    def test_without_memory_nothing_answered_is_lost(self):
        """The process may live, or end as by a kill."""
        self.begin()
        self.server.start()
        self.assertEqual(self.set_context("kept", "kept").status, 200)
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        size = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmSize:"))) << 10
        self.limit(resource.RLIMIT_AS, size + 8 * MIB)
        clients, answers = [Known(self.server) for _ in range(16)], []

        def press(number):
            with contextlib.suppress(ConnectionRefusedError):
                for turn in range(5):
                    answers.append(self.set_context("x" * (3 * MIB), f"flow{number}").status)
                    body = bytes([turn]) * len(LARGE)
                    reply = self.server.write(f"large{number}", body)
                    clients[number].replaced(f"large{number}", body, reply)
                    answers.append(reply.status)

        threads = [threading.Thread(target=press, args=(number,)) for number in range(16)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        self.assertLess(answers.count(200), len(answers), "there was memory enough")
        if self.server.process.poll() is None:
            self.limit(resource.RLIMIT_AS, None)
        else:
            self.server.start()
        for known in clients:
            self.assertEqual([problem for name in known.possible if (problem := known.problem(name))], [])
        self.assertEqual(self.context("kept"), "kept")
        self.assertEqual(self.write("new", b"content").status, 200)
        self.comes_true(lambda: self.server.used() == sum(self.server.sizes().values()), "bytes are miscounted")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
