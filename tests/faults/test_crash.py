#!/usr/bin/env python3
"""flowstore is killed, at named points and at random moments, under load; then everything is counted.

KILLS (50) of each kind of storage. Needs a build with FLOWSTORE_CRASH_POINTS, such as build/dev.
"""
import collections
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "s3"), str(HERE.parent / "support")]
from engine import Engine  # noqa: E402
from flowstore import FLOWSTORE, PROJECT, LocalFlowstore, run_all  # noqa: E402
from known import NOTHING, REFUSED, Known, shown  # noqa: E402
from planted import PASSWORD  # noqa: E402
from server import Server, let_an_hour_pass  # noqa: E402
from wal import forget_run  # noqa: E402

KILLS = int(os.environ.get("KILLS", "50"))
FILE_CLIENTS, CONTEXT_CLIENTS = 4, 3
GONE = 0  # no answer, or only a part of one
PATIENCE = 60  # seconds until a point must have been passed
LONGEST_LIFE = 0.6  # seconds until a kill at random
SPILLED = 600_000  # bytes that localfs does not keep in memory
IN_PARTS = 6 << 20  # bytes that are an upload in parts on S3
QUOTA = 1 << 30
RARE = ("log_checkpointed", "upload_begun", "part_sent", "part_copied", "upload_filled", "upload_completed")
CONTEXT_QUOTA = 10_000_000


def setUpModule():
    global run, points
    run = run_all.Run()
    unittest.addModuleCleanup(run.close)
    listed = subprocess.run([FLOWSTORE], env={**os.environ, "FLOWSTORE_CRASH_AT": "list"}, capture_output=True, text=True, timeout=20)
    points = listed.stdout.split()
    if "temp_written" not in points:
        raise AssertionError(f"{FLOWSTORE} has no crash points; build the preset dev")


class Scopes:
    """The context of a server, told of like files: a scope's content is what its two values are."""

    def __init__(self, server):
        self.server = server

    def stored(self, name):
        reply = self.read(name)
        return reply.body if reply.status == 200 else NOTHING

    def read(self, name):
        reply = self.server.ask("GET", f"/v1/context/{PROJECT}/{name}?key=a&key=b")
        if reply.status == 200:
            values = {item["key"]: item.get("value") for item in json.loads(reply.body)}
            # Both were written by one request, always: one without the other shows as it is.
            reply.body = repr((values.get("a"), values.get("b"))).encode()
            if values.get("a") is None and values.get("b") is None:
                reply.status = 404
        return reply

    def write(self, name, text):
        body = json.dumps([{"key": "a", "value": text}, {"key": "b", "value": text}])
        return self.server.ask("POST", f"/v1/context/{PROJECT}/{name}", body, {"Content-Type": "application/json"})

    def remove(self, name):
        return self.server.ask("DELETE", f"/v1/context/{PROJECT}/{name}")


class FileClient:
    """Changes files in folders that nobody else changes."""

    def __init__(self, server, number, large):
        self.server, self.large = server, large
        self.known = Known(server)
        self.folder = f"client{number}"
        self.random = random.Random(number)
        self.turns = itertools.count()

    def step(self):
        """One change; its status."""
        turn = next(self.turns)
        chance = self.random.random()
        folder = f"{self.folder}/{turn % 3}/{self.random.randrange(2)}"
        if chance < 0.1:
            return self.remove_folder(f"{self.folder}/{turn % 3}")
        name = f"{folder}/file{self.random.randrange(3)}"
        if chance < 0.25:
            reply = self.server.remove(name)
            self.known.removed(name, reply)
            return reply.status
        size = self.large if self.random.random() < 0.15 else self.random.randrange(3000)
        body = (f"{turn}".encode() + bytes([65 + turn % 26])) * (size // 4)
        kind = "append" if chance < 0.6 else "write"
        reply = getattr(self.server, kind)(name, body)
        (self.known.appended if kind == "append" else self.known.replaced)(name, body, reply)
        return reply.status

    def remove_folder(self, folder):
        reply = self.server.remove_folder(folder)
        for name in list(self.known.possible):
            if name.startswith(folder + "/"):
                self.known.removed(name, reply)
        return reply.status

    def problems(self):
        return [problem for name in sorted(self.known.possible) if (problem := self.known.problem(name))]


class ContextClient:
    """Changes scopes that nobody else changes."""

    def __init__(self, server, number):
        self.scopes = Scopes(server)
        self.known = Known(self.scopes)
        self.number = number
        self.random = random.Random(number)
        self.turns = itertools.count()

    def step(self):
        name = f"flow{self.number}-{self.random.randrange(4)}"
        if self.random.random() < 0.2:
            reply = self.scopes.remove(name)
            self.known.removed(name, reply)
            return reply.status
        text = f"{next(self.turns)} " + "x" * self.random.randrange(2000)
        reply = self.scopes.write(name, text)
        self.known.replaced(name, repr((text, text)).encode(), reply)
        return reply.status

    def problems(self):
        return [problem for name in sorted(self.known.possible) if (problem := self.known.problem(name))]


class Kills:
    """For one kind of storage. `server`, `points` and `large` are its own."""

    def begin(self, server, prefixes, large):
        self.server = server
        self.addCleanup(server.stop)
        self.points = [point for point in points if point.startswith(prefixes)]
        self.clients = [FileClient(server, number, large) for number in range(FILE_CLIENTS)]
        self.clients += [ContextClient(server, number) for number in range(CONTEXT_CLIENTS)]
        self.answers = collections.Counter()
        self.random = random.Random(3)

    def work(self, client):
        """Until the server is gone."""
        try:
            while (status := client.step()) != GONE:
                self.answers[status] += 1
        except ConnectionRefusedError:
            pass
        except BaseException as error:
            self.errors.append(error)
            self.server.process.kill()

    def live(self, wait_for_death):
        """All clients work until the process has died."""
        self.errors = []
        threads = [threading.Thread(target=self.work, args=(client,)) for client in self.clients]
        [thread.start() for thread in threads]
        wait_for_death()
        [thread.join() for thread in threads]
        if self.errors:
            raise self.errors[0]

    def die_at(self, point, passes):
        """The process kills itself when it passes this point for that time, perhaps while it starts."""
        self.server.stop()
        try:
            self.server.start(FLOWSTORE_CRASH_AT=f"{point}:{passes}")
        except AssertionError:
            if self.server.process.poll() != -9:
                raise
            return

        def wait():
            try:
                self.server.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.errors.append(AssertionError(f"{point} was not passed {passes} times"))
                self.server.process.kill()
            self.assertEqual(self.server.process.wait(), -9, self.server.logged())

        self.live(wait)

    def die_at_random(self):
        def wait():
            time.sleep(self.random.uniform(0.05, LONGEST_LIFE))
            self.server.kill()

        self.live(wait)

    def check(self, what):
        """Everything that was answered is there, and nothing else."""
        problems = [problem for client in self.clients for problem in client.problems()]
        known = {name for client in self.clients[:FILE_CLIENTS] for name in client.known.possible}
        problems += [f"{name}: nobody has written it" for name in set(self.server.sizes()) - known]
        problems += self.other_problems()
        self.assertEqual(problems, [], f"killed at {what}")

    def before_start(self, number):
        """After the kill of that number."""

    def other_problems(self):
        stored, used = sum(self.server.sizes().values()), self.server.used()
        return [] if used == stored else [f"{used} bytes are counted and {stored} stored"]

    def test_nothing_answered_is_lost(self):
        self.server.start()
        at_points = itertools.cycle(self.points)
        for number in range(KILLS):
            # Every point once, and then every other time.
            point = next(at_points) if number < len(self.points) or number % 2 else None
            passes = self.random.randrange(1, 3 if point in RARE else 5)
            if point:
                self.die_at(point, passes)
            else:
                self.die_at_random()
            self.before_start(number)
            self.server.start()
            self.check(f"{point}:{passes}" if point else "random")
        self.assertEqual(set(self.answers) - REFUSED - {200, 503}, set(), self.answers)
        self.assertLess(self.answers[503], self.answers[200] / 10, self.answers)
        self.server.stop()
        torn = self.server.logged().count("an append that a kill had torn was completed")
        print(f"{type(self).__name__}: {KILLS} kills, {len(self.points)} points, {torn} torn appends, answers: {dict(self.answers)}",
              file=sys.stderr)


class Strict(Kills, unittest.TestCase):
    """Files in a folder, context in SQLite, both as they are by default."""

    files, context = {}, {}
    torn = [(SPILLED, 1), (SPILLED, 2)]  # bytes of an append, and at which piece of it the process dies

    def setUp(self):
        folder = run.tmp / f"{type(self).__name__}-{self._testMethodName}"
        context = {"type": "db", "quota": CONTEXT_QUOTA, "options": {"type": "sqlite", "storage": str(folder / "context.db"), **self.context}}
        server = LocalFlowstore(folder, self.files, context=context)
        server.config["driver"]["quota"] = QUOTA
        self.begin(server, ("temp_", "folder_", "file_", "append_", "log_", "tree_", "growth_", "sqlite_"), SPILLED)

    def before_start(self, number):
        """A log is made again only after the machine has stopped; here it must not matter."""
        if number % 2:
            forget_run(self.server.root)

    def other_problems(self):
        processes = self.server.process_folders()
        left = [*self.server.temporary_files(), *(processes if len(processes) > 1 else [])]
        return [f"{path} is left behind" for path in left] + super().other_problems()

    def test_an_append_that_a_kill_tears_is_completed(self):
        for size, piece in self.torn:
            with self.subTest(size=size, piece=piece):
                self.server.start()
                self.assertEqual(self.server.write("log", b"head").status, 200)
                self.server.stop()
                self.server.start(FLOWSTORE_CRASH_AT=f"append_piece_written:{piece}")
                body = bytes(range(256)) * (size // 256)
                self.assertEqual(self.server.append("log", body).status, GONE)
                self.assertEqual(self.server.process.wait(PATIENCE), -9)
                torn = self.server.stored("log")
                self.assertTrue(len(b"head") < len(torn) < size, len(torn))
                self.server.start()
                self.assertEqual(shown(self.server.stored("log")), shown(b"head" + body))
                self.assertEqual(self.server.read("log").body, b"head" + body)
                self.assertEqual(self.other_problems(), [])
                self.server.stop()


class WithoutLog(Strict):
    """As it is where the file system allows no write-ahead log."""

    files = {"log": False}
    torn = [(20_000, 1), *Strict.torn]

    def begin(self, server, prefixes, large):
        super().begin(server, tuple(prefix for prefix in prefixes if prefix != "log_"), large)
        self.points.remove("file_rewritten")


class Relaxed(WithoutLog):
    """The other durability, and the other journal."""

    files, context = {"durability": "relaxed"}, {"journal": "delete"}


class Shared(Kills, unittest.TestCase):
    """Files on S3, context and the counts of bytes in PostgreSQL."""

    def setUp(self):
        engine = self.enterContext(Engine(run.tmp / "ceph"))
        self.postgres_port = self.enterContext(run_all.postgres(run))
        context = {"type": "db", "quota": CONTEXT_QUOTA, "options": {
            "type": "postgres", "host": "127.0.0.1", "port": self.postgres_port, "username": "postgres",
            "password": PASSWORD, "database": "flowstore_contract"}}
        server = Server(run.tmp / "shared", engine.bucket("crash"), context=context)
        server.config["driver"]["quota"] = QUOTA
        self.begin(server, ("growth_", "object_", "upload_", "part_", "postgres_"), IN_PARTS)

    def other_problems(self):
        """What was under way counts as done for a while: never too low."""
        stored, used = sum(self.server.sizes().values()), self.server.used()
        found = [] if used >= stored else [f"{used} bytes are counted and {stored} stored"]
        return found + self.context_problems()

    def context_problems(self):
        counted, stored = (self.query(f"SELECT {what}") for what in (
            "coalesce(sum(chars), 0) FROM flowstore_usage",
            'coalesce(sum(length("values"::text)), 0) FROM "Contexts"'))
        return [] if counted == stored else [f"{counted} characters of context are counted and {stored} stored"]

    def query(self, statement):
        return run.command("psql", "-h", "127.0.0.1", "-p", self.postgres_port, "-U", "postgres", "-d", "flowstore_contract",
                           "-Atc", statement, env={"PGPASSWORD": PASSWORD}, log="psql").strip()

    def test_nothing_answered_is_lost(self):
        super().test_nothing_answered_is_lost()
        let_an_hour_pass(run, self.postgres_port)
        self.server.start()
        deadline = time.monotonic() + PATIENCE
        while (problems := super().other_problems()) and time.monotonic() < deadline:
            time.sleep(0.2)
        self.assertEqual(problems, [])


class Checker(unittest.TestCase):
    """What all this rests on."""

    def test_notices_what_is_lost_torn_or_foreign(self):
        server = LocalFlowstore(run.tmp / "checker")
        server.start()
        self.addCleanup(server.stop)
        known = Known(server)
        for name in ("lost", "torn", "appended"):
            known.replaced(name, b"whole", server.write(name, b"whole"))
        project = server.root / "team" / PROJECT
        (project / "lost").unlink()
        (project / "torn").write_bytes(b"who")
        (project / "appended").write_bytes(b"whole and mo")
        (project / "foreign").write_bytes(b"")
        known.appended("appended", b" and more", type("Unanswered", (), {"status": GONE}))
        self.assertEqual([problem.split(":")[0] for problem in known.problems()], ["appended", "lost", "torn", "foreign"])
        self.assertEqual(shown(NOTHING), "nothing")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
