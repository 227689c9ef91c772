#!/usr/bin/env python3
"""The old server and flowstore in turns, and side by side, on one folder, one SQLite file and one database.

What one of them wrote the other reads, adds to and deletes, and nothing is lost on the way there or back. OLD_SERVER is
the command of the old server; without it that is the newest one that npm has, as for script/bench.
"""
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ("tests/support", "tests/contract", "bench"):
    sys.path.insert(0, str(ROOT / folder))
import old_server  # noqa: E402
from flowstore import Flowstore, run_all  # noqa: E402
from planted import PASSWORD  # noqa: E402
from run_cases import Platform  # noqa: E402

SEED = int(os.environ.get("SWAP_SEED", random.randrange(2**32)))
TURNS = int(os.environ.get("SWAP_TURNS", "6"))  # of which the old server has every other one
CHANGES = 30  # of files in a turn, and as many of context
NAMES = ["a", "b.csv", "folder/c", "folder/with space", "folder/deep/é ü", "folder/deep/100%", "x" * 200]
SCOPES = ["global", "flow1", "node1:flow1"]
TEAM, PROJECT = "team", "project"
# The old server knows a limit of 1000 characters where the platform names none.
TOKEN = f"tok.{PROJECT}.qn-1000000"
PATIENCE = 60


def setUpModule():
    global run, platform, database, old_program
    run = run_all.Run()
    unittest.addModuleCleanup(run.close)
    print(f"SWAP_SEED={SEED}")
    old_program = old_server.command(os.environ.get("OLD_SERVER"))
    if old_program is None:
        raise SystemExit("test_swap.py: there is no old server; see bench/README.md")
    platform = Platform(run_all.free_ports(1))
    unittest.addModuleCleanup(platform.stop)
    database = unittest.enterModuleContext(run_all.postgres(run))


def sqlite():
    return {"type": "sqlite", "storage": "ff-context.db"}


def postgres():
    """A database of its own, without a table."""
    name = f"swap_{uuid.uuid4().hex}"
    run.command("psql", "-h", "127.0.0.1", "-p", database, "-U", "postgres", "-d", "flowstore_contract", "-c",
                f"CREATE DATABASE {name}", env={"PGPASSWORD": PASSWORD}, log="psql")
    return {"type": "postgres", "host": "127.0.0.1", "port": database, "username": "postgres", "password": PASSWORD,
            "database": name}


class Server(Flowstore):
    """Either of them, with the same configuration, on the var of a volume."""

    def __init__(self, volume, context):
        super().__init__(tempfile.mkdtemp(prefix="pod-", dir=run.tmp), {"type": "localfs", "options": {"root": "var/root"}},
                         base_url=f"http://127.0.0.1:{platform.srv.server_port}", context=old_server.context(old_program, context))
        del self.config["auth"]
        (self.home / "var").symlink_to(volume)

    def ask(self, method, path, body=None, headers=None, **options):
        return super().ask(method, path, body, {"Authorization": f"Bearer {TOKEN}", **(headers or {})}, **options)

    def file(self, method, name, body=None, **headers):
        return self.ask(method, f"/v1/files/{TEAM}/{PROJECT}/{urllib.parse.quote(name)}", body, headers)

    def set(self, scope, *pairs):
        body = json.dumps([{"key": key} if value is None else {"key": key, "value": value} for key, value in pairs])
        return self.ask("POST", f"/v1/context/{PROJECT}/{scope}", body.encode(), {"Content-Type": "application/json"})

    def get(self, scope, key):
        answer = self.ask("GET", f"/v1/context/{PROJECT}/{scope}?key={urllib.parse.quote(key)}")
        if answer.status != 200:
            return answer
        # Of a scope that is not there the old server says nothing at all.
        return next((one.get("value") for one in json.loads(answer.body)), None)

    def end(self, how):
        self.stop() if how == "stop" else self.kill()


class Old(Server):
    is_old = True

    def __init__(self, *what):
        super().__init__(*what)
        self.program = old_program

    def ask(self, *words, **options):
        """It gives the platform half a second, and says 401 when that was too short on a busy machine."""
        deadline = time.monotonic() + PATIENCE
        while (reply := super().ask(*words, **options)).status == 401 and time.monotonic() < deadline:
            pass
        return reply

    def start(self):
        """The oldest ones know no /health."""
        self.launch(NODE_ENV="production")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                Server.ask(self, "GET", "/health")
                return self
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the old server does not answer: " + self.logged())

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)


class New(Server):
    is_old = False


class Model:
    """What has to be stored, and the changes that make it."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.files = {}
        self.values = {}  # by scope and key

    def change_file(self, server):
        name, body = self.random.choice(NAMES), self.random.randbytes(self.random.choice([1, 100, 5000, 200_000]))
        kind = self.random.choice(["replace", "append", "append", "remove"])
        if kind == "remove" and name not in self.files:
            kind = "replace"
        if kind == "remove":
            reply = server.file("DELETE", name)
            del self.files[name]
        elif kind == "append":
            reply = server.file("POST", name, body, FF_MODE="append")
            self.files[name] = self.files.get(name, b"") + body
        else:
            reply = server.file("POST", name, body)
            self.files[name] = body
        return f"{kind} {name}", reply

    def change_value(self, server):
        scope, key = self.random.choice(SCOPES), self.random.choice("klm")
        known = self.values.get((scope, key))
        kind = self.random.choice(["set", "set", "member", "remove"])
        if kind == "remove":
            reply = server.set(scope, (key, None))
            self.values.pop((scope, key), None)
        elif kind == "member" and isinstance(known, dict):
            number = self.random.randrange(1000)
            reply = server.set(scope, (f"{key}.list[1].n", number))
            known["list"][1]["n"] = number
        else:
            value = self.random.choice([{"list": [None, {"n": 1}], "z": 1, "a": "ü \u2028"}, 1.5, "text", [1, "2", None], True])
            reply = server.set(scope, (key, value))
            self.values[scope, key] = json.loads(json.dumps(value))
        return f"{kind} {scope} {key}", reply

    def used(self):
        return sum(map(len, self.files.values()))


class Case(unittest.TestCase):
    def setUp(self):
        self.volume = pathlib.Path(tempfile.mkdtemp(prefix="volume-", dir=run.tmp))
        self.addCleanup(shutil.rmtree, self.volume, ignore_errors=True)

    def start(self, kind, context):
        server = kind(self.volume, context)
        self.addCleanup(server.stop)
        return server.start()

    def change(self, model, server, count=CHANGES):
        for _ in range(count):
            for change in (model.change_file, model.change_value):
                what, reply = change(server)
                self.assertEqual(reply.status, 200, f"{what}: {reply}, seed {SEED}\n{server.logged()[-2000:]}")

    def expect(self, model, server):
        """Everything is there, and nothing else, whoever is asked."""
        for name in NAMES:
            reply = server.file("GET", name)
            self.assertEqual(reply.body if reply.status == 200 else reply.status, model.files.get(name, 404), f"{name}, seed {SEED}")
        for scope in SCOPES:
            for key in "klm":
                self.assertEqual(server.get(scope, key), model.values.get((scope, key)), f"{scope} {key}, seed {SEED}")
        if server.is_old and not old_server.has_cache(old_program):
            return
        self.assertEqual(json.loads(server.ask("GET", f"/v1/quota/{TEAM}/{PROJECT}").body), {"used": model.used()})
        self.assertEqual(self.cached(server), {scope: {key: value for (of, key), value in model.values.items() if of == scope}
                                               for scope, _ in model.values})
        if not server.is_old:
            listed = json.loads(server.ask("GET", f"/v1/files/{TEAM}/{PROJECT}/?list&recursive&limit=1000").body)["files"]
            self.assertEqual({one["name"]: one["size"] for one in listed if one["type"] == "file"},
                             {name: len(content) for name, content in model.files.items()})

    def cached(self, server):
        """All of the context, as Node-RED asks for it. A scope whose last key was deleted stays, and holds nothing."""
        answer = json.loads(server.ask("GET", f"/v1/context/{PROJECT}/cache?limit=100").body)
        return {one["scope"]: one["values"] for one in answer["data"] if one["values"]}


class Turns(Case):
    def take_turns(self, context, how_ours_end):
        model = Model(SEED)
        for turn in range(TURNS):
            server = self.start(Old if turn % 2 == 0 else New, context)
            self.expect(model, server)
            self.change(model, server)
            self.expect(model, server)
            server.end("stop" if server.is_old else how_ours_end)
        for name, content in model.files.items():
            self.assertEqual((self.volume / "root" / TEAM / PROJECT / name).read_bytes(), content)

    def test_are_taken_on_a_sqlite_file(self):
        self.take_turns(sqlite(), "stop")

    def test_are_taken_on_a_sqlite_file_after_a_kill(self):
        self.take_turns(sqlite(), "kill")

    def test_are_taken_on_a_postgres_database(self):
        self.take_turns(postgres(), "stop")

    def test_what_the_old_server_changed_after_a_kill_stays_although_a_log_was_left(self):
        ours = self.start(New, sqlite())
        self.assertEqual([ours.file("POST", name, b"ours").status for name in NAMES], [200] * len(NAMES))
        ours.kill()
        old = self.start(Old, sqlite())
        self.assertEqual([old.file("POST", name, b"theirs").status for name in NAMES[:3]], [200] * 3)
        self.assertEqual(old.file("DELETE", NAMES[3]).status, 200)
        old.stop()
        ours.start()
        found = [ours.file("GET", name) for name in NAMES]
        self.assertEqual([reply.body for reply in found[:3]], [b"theirs"] * 3)
        self.assertEqual(found[3].status, 404)
        self.assertEqual([reply.body for reply in found[4:]], [b"ours"] * (len(NAMES) - 4))


class SideBySide(Case):
    """While the old pod still serves, the new one does already."""

    def test_the_old_server_and_flowstore_see_each_others_changes(self):
        context = postgres()
        old, ours = self.start(Old, context), self.start(New, context)
        model = Model(SEED)
        for turn in range(8):
            first, second = (old, ours) if turn % 2 == 0 else (ours, old)
            self.change(model, first, 5)
            for name in NAMES:
                reply = second.file("GET", name)
                self.assertEqual(reply.body if reply.status == 200 else reply.status, model.files.get(name, 404), f"{name}, seed {SEED}")
        for server in (old, ours):
            for scope in SCOPES:
                for key in "klm":
                    self.assertEqual(server.get(scope, key), model.values.get((scope, key)), f"{scope} {key}, seed {SEED}")

    def test_two_flowstores_overlap_on_a_volume_and_a_sqlite_file(self):
        self.overlap(sqlite())

    def test_two_flowstores_overlap_on_a_volume_and_a_database(self):
        self.overlap(postgres())

    def overlap(self, context):
        """Clients write through both pods; the first ends in good order meanwhile, and they go on with the second."""
        first, second = self.start(New, context), self.start(New, context)
        clients = 4
        lines = 40
        with concurrent.futures.ThreadPoolExecutor(clients + 1) as pool:
            in_the_midst = threading.Event()
            done = [pool.submit(self.write_lines, client, lines, [first, second] if client % 2 == 0 else [second], in_the_midst)
                    for client in range(clients)]
            self.assertTrue(in_the_midst.wait(PATIENCE))
            ended = pool.submit(first.stop)
            self.assertTrue(all(one.result() for one in done))
            ended.result()
        text = second.file("GET", "shared").body.decode().split()
        self.assertEqual(sorted(text), sorted(f"{client}.{number}" for client in range(clients) for number in range(lines)))
        for client in range(clients):
            for number in range(lines):
                self.assertEqual(second.get("global", f"c{client}n{number}"), number)
                self.assertEqual(second.file("GET", f"{client}/{number}").body, b"%d" % number)

    @staticmethod
    def write_lines(client, lines, pods, in_the_midst):
        """Every line once, through the first of the pods for as long as that answers."""
        pods = list(pods)
        for number in range(lines):
            if client == 0 and number == lines // 4:
                in_the_midst.set()
            for change in (lambda pod: pod.file("POST", "shared", f"{client}.{number}\n".encode(), FF_MODE="append"),
                           lambda pod: pod.file("POST", f"{client}/{number}", b"%d" % number),
                           lambda pod: pod.set("global", (f"c{client}n{number}", number))):
                try:
                    reply = change(pods[0])
                except ConnectionRefusedError:
                    reply = None
                # A connection that the first had not looked at when it ended is closed, and nothing was done.
                if len(pods) == 2 and (reply is None or reply.status == 0):
                    pods.pop(0)
                    reply = change(pods[0])
                if reply.status != 200:
                    raise AssertionError(f"{client} {number}: {reply}")
        return True


if __name__ == "__main__":
    unittest.main(verbosity=2)
