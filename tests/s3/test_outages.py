#!/usr/bin/env python3
"""flowstore when its store is away, hangs or comes back; when its clients leave; and its memory."""
import os
import sys
import threading
import time
import unittest

from engine import BUCKET, KEY, SECRET
from s3_client import S3
from server import TOKEN, Server, file_path, key_of
from services import store_and_proxy
from known import Known  # found where server.py looks

OLD = b"what was there before"
IN_TIME = 3  # seconds until a client is told that the store is away
BACK_IN = 5  # seconds until flowstore has noticed that it is back
PATIENCE = 15  # seconds that flowstore may take to tidy up after itself
MIB = 1 << 20
SECONDS = float(os.environ.get("SECONDS", "8"))  # of load


def setUpModule():
    global folder, engine, proxy, bucket
    folder, engine, proxy = store_and_proxy()
    bucket = engine.bucket()


class Outage(unittest.TestCase):
    def setUp(self):
        proxy.rules()
        for key in bucket.objects():
            bucket.delete(key)
        for key, upload in bucket.uploads():
            bucket.abort(key, upload)
        self.server = self.made()

    def made(self, url=None, **more):
        """A server of this test; asked through the proxy unless it is told otherwise."""
        name = f"{self.id().split('.')[-1]}-{len(list(folder.iterdir()))}"
        server = Server(folder / name, bucket, url or proxy.url, **more)
        self.addCleanup(server.stop)
        return server

    def operations(self):
        """One of each kind; the files are there."""
        server = self.server
        return {
            "create": lambda: server.write("new", b"new"),
            "replace": lambda: server.write("replaced", b"new"),
            "begin": lambda: server.append("begun", b"new"),
            "append": lambda: server.append("appended", b"new"),
            "remove": lambda: server.remove("removed"),
            "read": lambda: server.read("kept"),
            "read a range": lambda: server.read("kept", {"Range": "bytes=2-5"}),
            "list": lambda: server.ask("GET", file_path("") + "?list"),
            "write 20 MiB": lambda: server.write("large", bytes(20 * MIB)),
        }

    def prepare(self):
        for name in ("replaced", "appended", "removed", "kept"):
            self.assertEqual(self.server.write(name, OLD).status, 200)

    def expect_outage(self):
        """Every operation is refused in time and in the right words."""
        answers, threads = {}, []

        def perform(name, operation):
            started = time.monotonic()
            answers[name] = operation(), time.monotonic() - started

        for name, operation in self.operations().items():
            threads.append(threading.Thread(target=perform, args=(name, operation)))
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        for name in self.operations():
            with self.subTest(name):
                self.assertIn(name, answers)
                reply, seconds = answers[name]
                self.assertEqual(reply.status, 503, reply)
                self.assertIn("retry-after", reply.headers)
                self.assertLess(seconds, IN_TIME)
                told = reply.body + repr(reply.headers).encode()
                for secret in (SECRET, KEY, str(engine.port), proxy.url.rsplit(":", 1)[1], "127.0.0.1"):
                    self.assertNotIn(secret.encode(), told)
        self.assertEqual(self.server.ask("GET", "/health").status, 200)
        self.assertNotIn(SECRET, self.server.logged())

    def expect_recovery(self):
        """Everything works again, soon and by itself; what was there is there."""
        started = time.monotonic()
        while self.server.write("again", b"x").status != 200:
            self.assertLess(time.monotonic() - started, BACK_IN)
            time.sleep(0.05)
        self.assertLess(time.monotonic() - started, BACK_IN)
        self.assertEqual(self.server.read("kept").body, OLD)
        for name in ("replaced", "appended", "removed"):
            self.assertIn(bucket.get(key_of(name)), (OLD, OLD + b"new", b"new", None))
        for name, operation in self.operations().items():
            self.assertIn(operation().status, (200, 206) if name != "remove" else (200, 400, 404), name)

    def expect_no_uploads(self, is_known=lambda upload: True):
        """None is left but for those whose beginning was never answered: nobody knows their names."""
        deadline = time.monotonic() + PATIENCE
        while (left := [pair for pair in bucket.uploads() if is_known(pair[1])]) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(left, [])


class StoreIsAway(Outage):
    def test_refuses_connections(self):
        self.server = self.made(engine.url).start()
        self.prepare()
        engine.kill_gateway()
        try:
            for _ in range(3):
                self.expect_outage()
        finally:
            engine.start_gateway()
        self.expect_recovery()
        self.expect_no_uploads()

    def test_says_nothing(self):
        self.server.start()
        self.prepare()
        proxy.rules({"fault": "black_hole"})
        for _ in range(3):
            self.expect_outage()
        proxy.rules()
        self.expect_recovery()
        self.expect_no_uploads()

    # What it begins when it goes on is left there: it answers when nobody listens any more.
    def test_hangs(self):
        self.server = self.made(engine.url).start()
        self.prepare()
        engine.freeze()
        try:
            self.expect_outage()
        finally:
            engine.thaw()
        self.expect_recovery()

    def test_only_says_that_it_is_overloaded(self):
        self.server.start()
        self.prepare()
        proxy.rules({"fault": "slow_down"})
        self.expect_outage()
        proxy.rules()
        self.expect_recovery()
        self.expect_no_uploads()

    def test_is_not_there_at_the_start_either(self):
        proxy.rules({"fault": "reset_before"})
        self.server.start()
        self.expect_outage()
        proxy.rules()
        for name in ("replaced", "appended", "removed", "kept"):
            bucket.put(key_of(name), OLD)
        self.expect_recovery()

    def test_does_not_let_us_in(self):
        self.server.bucket = S3(engine.url, BUCKET, KEY, "another-secret")
        self.server.config["driver"]["options"]["credentials"]["secretAccessKey"] = "another-secret"
        self.server.start()
        for name, operation in self.operations().items():
            with self.subTest(name):
                reply = operation()
                self.assertEqual(reply.status, 500, reply)
                self.assertIn(b"The file storage refused", reply.body)
                self.assertNotIn(b"another-secret", reply.body)
                self.assertNotIn(KEY.encode(), reply.body)
        log = self.server.logged("SignatureDoesNotMatch")  # for the operator
        self.assertNotIn("another-secret", log)


class Load(Outage):
    """Clients that write their own files and remember what they were told."""

    def client(self, number, stop, known, wrong):
        turn = 0
        large = bytes([number]) * (6 * MIB)
        while not stop.is_set():
            turn += 1
            name, body = f"client{number}-{turn % 3}", f"{number} {turn};".encode() * 50
            if turn % 5 == 0:
                reply = self.server.write(name, body if turn % 20 else large)
                known.replaced(name, body if turn % 20 else large, reply)
            elif turn % 11 == 0:
                reply = self.server.remove(name)
                known.removed(name, reply)
            else:
                reply = self.server.append(name, body)
                known.appended(name, body, reply)
            if reply.status not in (200, 400, 404, 503):
                wrong.append((name, turn, reply))

    def with_load(self, disturb):
        stop, known, wrong = threading.Event(), [Known(self.server) for _ in range(8)], []
        threads = [threading.Thread(target=self.client, args=(n, stop, known[n], wrong)) for n in range(8)]
        [thread.start() for thread in threads]
        try:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                disturb()
        finally:
            stop.set()
            [thread.join() for thread in threads]
            proxy.clear()
        self.assertEqual(wrong, [])
        for one in known:
            self.assertGreater(len(one.possible), 0)
            self.assertEqual([problem for name in one.possible if (problem := one.problem(name))], [])
        self.expect_no_uploads(proxy.has_seen)

    def test_the_gateway_is_killed_and_restarted(self):
        self.server.start()

        def disturb():
            time.sleep(0.7)
            engine.kill_gateway()
            time.sleep(0.3)
            engine.start_gateway()

        self.with_load(disturb)

    def test_the_store_hangs_for_a_moment(self):
        self.server.start()

        def disturb():
            time.sleep(0.5)
            engine.freeze()
            time.sleep(1)
            engine.thaw()

        self.with_load(disturb)

    def test_a_tenth_of_the_answers_never_comes(self):
        self.server.start()
        proxy.rules({"fault": "reset_after", "probability": 0.1})
        self.with_load(lambda: time.sleep(0.1))


class Clients(Outage):
    def test_one_that_leaves_in_mid_upload_changes_nothing_and_leaves_nothing(self):
        self.server.start()
        self.assertEqual(self.server.write("file", OLD).status, 200)
        for sent in (1000, 3 * MIB, 9 * MIB, 19 * MIB):
            for mode in ("replace", "append"):
                with self.subTest(sent=sent, mode=mode), self.server.begin_write("file", 20 * MIB) as upload:
                    upload.sendall(bytes(sent))
                    time.sleep(0.1)
        self.expect_no_uploads()
        self.assertEqual(bucket.get(key_of("file")), OLD)
        self.assertEqual(self.server.read("file").body, OLD)

    def test_one_that_reads_slowly_or_leaves_is_no_trouble(self):
        self.server.start()
        body = os.urandom(32 * MIB)
        self.assertEqual(self.server.write("large", body).status, 200)
        for _ in range(20):
            with self.server.begin_read("large") as reading:
                self.assertEqual(reading.read(1000), body[:1000])
        with self.server.begin_read("large") as reading:
            start = reading.read(1000)
            time.sleep(1)
            self.assertEqual(start + reading.read_all(), body)
        self.assertEqual(self.server.write("large", OLD).status, 200)


class Memory(Outage):
    SIZE = 256 * MIB
    PIECE = os.urandom(MIB)

    def upload(self, name):
        with self.server.begin_write(name, self.SIZE) as connection:
            for _ in range(self.SIZE // MIB):
                connection.sendall(self.PIECE)
            return connection.recv(4096).split(b"\r\n", 1)[0]

    def download(self, name):
        """How many of its mebibytes are right."""
        with self.server.begin_read(name) as reading:
            return sum(reading.read(MIB) == self.PIECE for _ in range(self.SIZE // MIB))

    def at_once(self, work, names):
        results = {}
        threads = [threading.Thread(target=lambda name=name: results.update({name: work(name)})) for name in names]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        return [results.get(name) for name in names]

    def test_is_bounded_with_large_files_at_once(self):
        self.server = self.made(engine.url).start()
        names = ["a", "b", "c", "d"]
        self.assertEqual(self.at_once(self.upload, names), [b"HTTP/1.1 200 OK"] * 4)
        self.assertLess(self.server.most_memory(), 192 * MIB)
        self.assertEqual(self.at_once(self.download, names), [self.SIZE // MIB] * 4)
        self.assertLess(self.server.most_memory(), 192 * MIB)
        self.assertEqual(self.server.append("a", b"the end").status, 200)
        self.assertEqual(bucket.objects(key_of("a")), {key_of("a"): self.SIZE + 7})
        self.assertEqual(self.server.read("a", {"Range": "bytes=-8"}).body, self.PIECE[-1:] + b"the end")
        self.assertLess(self.server.most_memory(), 192 * MIB)
        self.expect_no_uploads()


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
