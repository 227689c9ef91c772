#!/usr/bin/env python3
"""flowstore on a store whose every request may go wrong.

Each operation is carried out with each fault at its first request to the store, then at its second,
and so on until it makes no more. Nothing that was answered may be lost, nothing may be half there,
and no upload may be left.
"""
import os
import sys
import time
import unittest

from engine import SECRET
from server import TOKEN, Reply, Server, file_path, key_of
from services import store_and_proxy
from known import Known  # found where server.py looks

OLD = b"old content " * 20
NEW = b"new content, and more of it " * 20
LARGE = bytes(range(256)) * (20 << 12)  # 20 MiB: several parts
MOST_REQUESTS = 40  # of one operation: a loop that never ends is a failure
PATIENCE = 15  # seconds that flowstore may take to tidy up after itself

# A single one of these is a hiccup: the operation works all the same.
HICCUPS = [
    {"fault": "reset_before"},
    {"fault": "slow_down"},
    {"fault": "slow_down", "status": 500, "code": "InternalError"},
    {"fault": "delay", "seconds": 0.3},
    {"fault": "dribble", "rate": 2_000_000},
]
# After one of these nobody knows, or it shows late; the answer may also be a good 503.
BREAKAGES = [
    {"fault": "reset_in_request"},
    {"fault": "reset_after"},
    {"fault": "slow_down", "forward": True},
    {"fault": "reset_in_answer"},
    {"fault": "cut_answer"},
    {"fault": "corrupt_request"},
    {"fault": "wrong_etag"},
]


def setUpModule():
    global folder, engine, proxy
    folder, engine, proxy = store_and_proxy()


class Faulty(unittest.TestCase):
    """A server and a bucket of its own, the proxy between them."""

    reads = True  # files are also read through the server, after each operation

    # The operations. Each takes the name of a file that holds OLD, and returns what was answered.
    def replace(self, name):
        return self.note("replaced", name, NEW, self.server.write(name, NEW))

    def create(self, name):
        return self.note("replaced", f"{name}-new", NEW, self.server.write(f"{name}-new", NEW))

    def append(self, name):
        return self.note("appended", name, NEW, self.server.append(name, NEW))

    def begin(self, name):
        return self.note("appended", f"{name}-new", NEW, self.server.append(f"{name}-new", NEW))

    def replace_by_large(self, name):
        return self.note("replaced", name, LARGE, self.server.write(name, LARGE))

    def append_large(self, name):
        return self.note("appended", name, LARGE, self.server.append(name, LARGE))

    def remove(self, name):
        return self.note("removed", name, self.server.remove(name))

    def read(self, name):
        reply = self.server.read(name)
        return self.expect(reply, reply.status != 200 or reply.body == OLD)

    def read_range(self, name):
        reply = self.server.read(name, {"Range": "bytes=10-19"})
        return self.expect(reply, reply.status not in (200, 206) or reply.body == (OLD[10:20] if reply.status == 206 else OLD))

    def list(self, name):
        reply = self.server.ask("GET", file_path("") + "?list&recursive&limit=1000")
        return self.expect(reply, reply.status != 200 or f'"{name}"'.encode() in reply.body)

    def note(self, what, name, *rest):
        getattr(self.known, what)(name, *rest)
        return rest[-1]

    def expect(self, reply, is_right):
        return reply if is_right else Reply(999, b"wrong content: " + reply.body[:100])

    def setUp(self):
        proxy.rules()
        name = self.id().split(".")[-1].removeprefix("test_").replace("_", "-")[:40].rstrip("-")
        self.bucket = engine.bucket(f"faults-{name}")
        self.server = Server(folder / name, self.bucket, proxy.url).start()
        self.addCleanup(self.end)
        self.known = Known(self.server)
        self.files = 0

    def end(self):
        proxy.rules()
        self.server.stop()
        log = self.server.logged()
        for secret in (SECRET, TOKEN):
            self.assertNotIn(secret, log)

    def prepared(self):
        """A fresh file that holds OLD."""
        proxy.rules()
        self.files += 1
        name = f"f{self.files}"
        self.assertEqual(self.note("replaced", name, OLD, self.server.write(name, OLD)).status, 200)
        return name

    def with_each_fault(self, faults, *operations, reset_by="", accepts=(200, 206, 503)):
        for operation in operations:
            for fault in faults:
                for turn in range(1, MOST_REQUESTS):
                    name = self.prepared()
                    with self.subTest(operation=operation.__name__, **fault, turn=turn):
                        if not self.one_fault(operation, name, {**fault, "nth": turn}, accepts):
                            self.assertGreater(turn, 1, "the store was not asked")
                            break
                else:
                    self.fail(f"{operation.__name__} makes more than {MOST_REQUESTS} requests")

    def one_fault(self, operation, name, rule, accepts):
        """False if the operation was done before its request number `nth`."""
        proxy.rules(rule)
        reply = operation(name)
        log, was_used = proxy.log(), proxy.used() > 0
        proxy.clear()
        self.assertIn(reply.status, accepts if was_used else (200, 206), f"{reply} {log}")
        self.check_answer(reply)
        self.assertEqual([p for one in (name, f"{name}-new") if (p := self.known.problem(one, self.reads))], [], log)
        self.check_uploads()
        return was_used

    def check_answer(self, reply):
        if reply.status == 503:
            self.assertIn("retry-after", reply.headers)
        told = reply.body + repr(reply.headers).encode()
        # A port without its colon may be a part of an entity tag.
        places = [f":{port}" for port in (engine.port, proxy.url.rsplit(":", 1)[1])]
        for secret in (SECRET, self.bucket.key, self.bucket.bucket, *places):
            self.assertNotIn(secret.encode(), told)

    def check_uploads(self):
        """Nothing is left, but for an upload whose beginning was never answered: nobody knows its name."""
        deadline = time.monotonic() + PATIENCE
        while (left := self.left_uploads()) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(left, [], proxy.log())
        for key, upload in self.bucket.uploads():
            self.bucket.abort(key, upload)

    def left_uploads(self):
        return [(key, upload) for key, upload in self.bucket.uploads() if proxy.has_seen(upload)]


class SmallFiles(Faulty):
    def test_writes_work_in_spite_of_a_hiccup(self):
        self.with_each_fault(HICCUPS, self.create, self.replace, self.begin, self.append, self.remove, accepts=(200,))

    def test_reads_work_in_spite_of_a_hiccup(self):
        self.with_each_fault(HICCUPS, self.read, self.read_range, self.list, accepts=(200, 206))

    def test_writes_are_whole_or_not_there_after_a_breakage(self):
        self.with_each_fault(BREAKAGES, self.create, self.replace, self.begin, self.append, self.remove)

    # 0: the answer had begun, and ends early, so that the client knows.
    def test_reads_are_right_or_fail_after_a_breakage(self):
        faults = [fault for fault in BREAKAGES if fault["fault"] != "wrong_etag"]
        self.with_each_fault(faults, self.read, self.read_range, self.list, accepts=(200, 206, 503, 0))

    # An append reads what it writes back.
    def test_an_append_carries_no_wrong_bit_into_the_store(self):
        self.with_each_fault([{"fault": "corrupt_answer"}], self.append)

    def test_a_wrong_bit_in_a_listing_has_no_consequences(self):
        self.prepared()
        proxy.rules({"fault": "corrupt_answer"})
        for _ in range(20):
            reply = self.server.ask("GET", file_path("") + "?list&recursive")
            self.assertIn(reply.status, (200, 503), reply)
        proxy.rules()
        self.assertEqual(self.list("f1").status, 200)


class LargeFiles(Faulty):
    """Several parts: what is read of them has a test of its own."""
    reads = False

    # The last request of all, which makes the file, may have been carried out: then 503 says so.
    def test_writes_work_in_spite_of_a_hiccup(self):
        self.with_each_fault(HICCUPS[:2], self.replace_by_large, self.append_large, accepts=(200, 503))

    def test_writes_are_whole_or_not_there_after_a_breakage(self):
        faults = [fault for fault in BREAKAGES if fault["fault"] in ("reset_in_request", "reset_after", "corrupt_request")]
        self.with_each_fault(faults, self.replace_by_large)
        self.with_each_fault(faults[1:2], self.append_large)

    # It is the store's fault, and its operator's to mend.
    def test_a_part_of_another_name_is_refused(self):
        self.with_each_fault([{"fault": "wrong_etag", "method": "PUT"}], self.replace_by_large, accepts=(200, 500))

    def test_a_read_that_breaks_off_is_seen_by_the_client(self):
        self.assertEqual(self.server.write("large", LARGE).status, 200)
        for fault in ("reset_in_answer", "cut_answer"):
            for turn in range(1, MOST_REQUESTS):
                proxy.rules({"fault": fault, "nth": turn, "method": "GET"})
                reply = self.server.read("large")
                self.assertIn(reply.status, (200, 503, 0))
                self.assertTrue(reply.status != 200 or reply.body == LARGE, f"{len(reply.body)} bytes, {proxy.log()}")
                if not proxy.used():
                    self.assertGreater(turn, 1, "the store was not asked")
                    break

    def test_a_read_shows_one_version_also_while_another_is_written(self):
        other = LARGE[::-1]
        for _ in range(5):
            self.assertEqual(self.server.write("large", LARGE).status, 200)
            proxy.rules({"fault": "dribble", "rate": 40_000_000, "method": "GET"})
            with self.server.begin_read("large") as reading:
                start = reading.read(1 << 20)
                self.assertEqual(self.server.write("large", other).status, 200)
                rest = reading.read_all()
            self.assertIn(start + rest, (LARGE, LARGE[:len(start + rest)]))
            if len(start + rest) < len(LARGE):
                self.assertTrue(reading.broke_off)


class Probability(Faulty):
    def test_many_operations_on_a_store_that_often_fails(self):
        """One after the other on ten files, with a fault in every fourth request."""
        proxy.rules(*({**fault, "probability": 0.03} for fault in HICCUPS + BREAKAGES))
        turn = [self.replace_some, self.append_some, self.remove_some]
        wrong = []
        for number in range(int(os.environ.get("OPERATIONS", "300"))):
            reply = turn[number % 7 % 3](f"file{number % 10}", f"{number} ".encode() * (number % 50))
            if reply.status not in (200, 400, 404, 503):
                wrong.append((number, reply))
            self.check_answer(reply)
        self.assertGreater(proxy.used(), 0)
        proxy.rules()
        self.assertEqual(wrong, [])
        self.assertEqual(self.known.problems(), [])

    def replace_some(self, name, body):
        return self.note("replaced", name, body, self.server.write(name, body))

    def append_some(self, name, body):
        return self.note("appended", name, body, self.server.append(name, body))

    def remove_some(self, name, _):
        return self.note("removed", name, self.server.remove(name))


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
