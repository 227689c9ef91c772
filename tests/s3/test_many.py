#!/usr/bin/env python3
"""Four flowstores on one bucket and one PostgreSQL, one of them killed again and again.

APPENDS (2000) lines are appended by 32 clients to 8 files.
"""
import collections
import contextlib
import os
import random
import sys
import threading
import time
import unittest

from server import PASSWORD, Server, key_of, let_an_hour_pass
from services import store_and_database
from known import Known  # found where server.py looks

APPENDS = int(os.environ.get("APPENDS", "2000"))
SERVERS, CLIENTS, FILES = 4, 32, 8
KILLS = 4  # in each test that has any: what a dead process had locked stays so for a while
PATIENCE = 20  # seconds for a count
GONE = 0  # no answer, or only a part of one


def setUpModule():
    global run, engine, postgres_port
    run, engine, postgres_port = store_and_database()


class Fleet(unittest.TestCase):
    """The servers, their bucket, and clients that ask any of them."""

    def begin(self, name, quota=None):
        self.bucket = engine.bucket(f"many-{name}")
        driver_quota = {} if quota is None else {"quota": quota}
        self.servers = []
        self.is_over = False
        for number in range(SERVERS):
            one = Server(run.tmp / f"{name}-{number}", self.bucket, context={"type": "db", "options": {
                "type": "postgres", "host": "127.0.0.1", "port": postgres_port, "username": "postgres",
                "password": PASSWORD, "database": "flowstore_contract"}})
            one.config["driver"].update(driver_quota)
            self.servers.append(one.start())
            self.addCleanup(one.stop)
        self.kills = 0
        self.random = random.Random(1)

    def ask(self, what, *words):
        """Of any server; what was answered. Nobody listening means that another one is asked."""
        while not self.is_over:
            with contextlib.suppress(ConnectionRefusedError):
                return getattr(random.choice(self.servers), what)(*words)
        raise AssertionError("the test has failed meanwhile")

    def with_clients(self, work, meanwhile):
        """work(number) in a thread for each client; meanwhile() again and again until all are done. The
        first error is thrown."""
        errors = []

        def guarded(number):
            try:
                work(number)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=guarded, args=(number,)) for number in range(CLIENTS)]
        [thread.start() for thread in threads]
        try:
            while any(thread.is_alive() for thread in threads):
                meanwhile()
        finally:
            self.is_over = True
            [thread.join() for thread in threads]
            self.is_over = False
        if errors:
            raise errors[0]

    def kill_one(self):
        time.sleep(1)
        if self.kills == KILLS:
            return
        self.kills += 1
        victim = self.random.choice(self.servers)
        victim.kill()
        time.sleep(0.2)
        victim.start()

    # ---- appends
    def append_lines(self, number):
        for turn in range(APPENDS // CLIENTS):
            name, line = f"log{(number + turn) % FILES}", f"{number} {turn} {'.' * (turn % 40)}\n"
            status = self.ask("append", name, line.encode()).status
            self.answers[status] += 1
            with self.lock:
                self.lines[name][line] = status

    def begin_appends(self):
        self.answers, self.lock = collections.Counter(), threading.Lock()
        self.lines = collections.defaultdict(dict)  # by file and line: how it was answered

    def check_appends(self):
        """Acknowledged lines are there once and in their client's order, refused ones not, others at
        most once, and nothing else is."""
        for name, lines in self.lines.items():
            found = (self.bucket.get(key_of(name)) or b"").decode().splitlines(keepends=True)
            counts = collections.Counter(found)
            self.assertEqual([line for line in counts if line not in lines], [], name)
            self.assertEqual([line for line, status in lines.items() if status == 200 and counts[line] != 1], [], name)
            self.assertEqual([line for line, count in counts.items() if count > 1], [], name)
            self.assertEqual([line for line, status in lines.items() if status == 413 and counts[line]], [], name)
            order = [tuple(map(int, line.split()[:2])) for line in found if lines[line] == 200]
            for number in range(CLIENTS):
                mine = [turn for client, turn in order if client == number]
                self.assertEqual(mine, sorted(mine), name)

    def test_every_acknowledged_append_is_there_exactly_once(self):
        self.begin("appends")
        self.begin_appends()
        self.with_clients(self.append_lines, self.kill_one)
        self.check_appends()
        self.assertEqual(set(self.answers) - {200, 503, GONE}, set(), self.answers)
        self.assertGreater(self.answers[200], sum(self.answers.values()) / 2, self.answers)

    # ---- quotas
    def stored(self):
        return sum(self.bucket.objects(key_of("")).values())

    def watch(self):
        """The project stays below its quota at every moment."""
        self.most = max(self.most, self.stored())
        self.assertLess(self.most, self.quota)

    def begin_quota(self, name, quota):
        self.quota, self.most = quota, 0
        self.begin(name, quota)

    def let_an_hour_pass(self):
        """For what the dead had announced and locked. They may have been counted too high, never too low."""
        for one in self.servers:
            self.assertGreaterEqual(one.used(), self.stored())
        let_an_hour_pass(run, postgres_port)

    def check_exactness(self):
        """Every server knows how much there is, and what still fits: to the byte."""
        deadline = time.monotonic() + PATIENCE
        while {one.used() for one in self.servers} != {self.stored()} and time.monotonic() < deadline:
            time.sleep(0.2)
        self.assertEqual({one.used() for one in self.servers}, {self.stored()})
        for one in self.servers:
            room = self.quota - self.stored()  # it is refused at equality
            self.assertEqual(one.write(f"exact{one.port}", bytes(room)).status, 413)
            if room > 1:
                self.assertEqual(one.write(f"exact{one.port}", bytes((room - 1) // 2 or 1)).status, 200)
        self.watch()

    def test_appends_never_exceed_a_quota(self):
        # Two thirds of all lines fit.
        self.begin_quota("append-quota", APPENDS * 28 * 2 // 3)
        self.begin_appends()
        self.with_clients(self.append_lines, lambda: (self.watch(), self.kill_one()))
        self.watch()
        self.check_appends()
        self.assertGreater(self.answers[413], 0, self.answers)
        self.assertGreater(self.answers[200], 0, self.answers)
        self.let_an_hour_pass()
        self.check_exactness()

    def change_files(self, number):
        """New, replaced and deleted files; each client has its own."""
        known, chance = Known(self.servers[0]), random.Random(number)
        self.known.append(known)
        for turn in range(max(10, APPENDS // CLIENTS // 2)):
            name, body = f"client{number}-{turn % 4}", bytes([65 + turn % 26]) * chance.randrange(4000)
            kind = chance.choice(["write", "write", "append", "remove"])
            reply = self.ask(kind, name, *([] if kind == "remove" else [body]))
            self.answers[kind, reply.status] += 1
            if kind == "remove":
                known.removed(name, reply)
            else:
                (known.replaced if kind == "write" else known.appended)(name, body, reply)

    def change(self, meanwhile):
        self.known, self.answers = [], collections.Counter()
        self.with_clients(self.change_files, meanwhile)
        self.watch()
        problems = [problem for known in self.known for name in list(known.possible) if (problem := known.problem(name))]
        self.assertEqual(problems, [])
        self.assertEqual({status for _, status in self.answers} - {200, 400, 404, 413, 503, GONE}, set(), self.answers)
        self.assertGreater(self.answers["write", 413], 0, self.answers)
        self.assertGreater(self.answers["write", 200], 0, self.answers)

    def test_writes_of_all_kinds_never_exceed_a_quota_and_are_counted_exactly(self):
        self.begin_quota("write-quota", 100_000)
        self.change(self.watch)
        self.check_exactness()  # without waiting: nobody was killed

    def test_writes_of_all_kinds_never_exceed_a_quota_while_processes_die(self):
        self.begin_quota("killed-quota", 100_000)
        self.change(lambda: (self.watch(), self.kill_one()))
        self.let_an_hour_pass()
        self.check_exactness()


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
