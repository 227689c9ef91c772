#!/usr/bin/env python3
"""What the tests of the S3 driver stand on: the store is a real one, and each fault of the proxy is what
it says.
"""
import http.client
import threading
import time
import unittest

from engine import Engine
from s3_client import S3, S3Error
from services import store_and_proxy

BODY = bytes(range(256)) * 2000


def setUpModule():
    global folder, engine, proxy
    folder, engine, proxy = store_and_proxy()


class Store(unittest.TestCase):
    def test_verifies_signatures_and_content(self):
        with self.assertRaisesRegex(S3Error, "403 SignatureDoesNotMatch"):
            S3(engine.url, secret="wrong").put("a", b"x")
        with self.assertRaisesRegex(S3Error, "400 BadDigest"):
            engine.bucket().put("a", b"x", **{"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="})
        self.assertNotIn("a", engine.bucket().objects())

    def test_keeps_conditions(self):
        bucket = engine.bucket("conditions")
        bucket.put("a", b"one", **{"If-None-Match": "*"})
        with self.assertRaisesRegex(S3Error, "412 PreconditionFailed"):
            bucket.put("a", b"two", **{"If-None-Match": "*"})
        self.assertEqual(bucket.get("a"), b"one")

    def test_lists_every_object_of_many_pages(self):
        bucket = engine.bucket("pages")
        keys = [f"team/ü {n}+%&" for n in range(1001)]
        for key in keys:
            bucket.put(key, b"12")
        self.assertEqual(bucket.objects("team/"), dict.fromkeys(keys, 2))

    def test_shows_uploads_that_were_left(self):
        bucket = engine.bucket("uploads")
        bucket.request("POST", "team/a", {"uploads": ""}).must(200)
        self.assertEqual([key for key, _ in bucket.uploads()], ["team/a"])

    def test_keeps_its_objects_while_its_gateway_is_away_and_when_it_hangs(self):
        with Engine(folder / "another") as another:
            bucket = another.bucket()
            bucket.put("a", b"x")
            another.kill_gateway()
            with self.assertRaises(ConnectionRefusedError):
                bucket.get("a")
            another.start_gateway()
            self.assertEqual(bucket.get("a"), b"x")
            another.freeze()
            with self.assertRaises(TimeoutError):
                bucket.request("PUT", "b", body=b"y", timeout=0.5)
            another.thaw()
            self.assertEqual(bucket.get("a"), b"x")


class Faults(unittest.TestCase):
    """Each with a PUT and a GET through the proxy; the store is looked at past it."""

    def setUp(self):
        self.bucket = engine.bucket("proxied")
        self.proxied = S3(proxy.url, "proxied")
        self.bucket.put("a", BODY)
        self.bucket.delete("b")
        self.addCleanup(proxy.rules)

    def fault(self, kind, **more):
        proxy.rules({"fault": kind, **more})

    def put(self):
        return self.proxied.request("PUT", "b", body=BODY, timeout=5)

    def get(self):
        return self.proxied.request("GET", "a", timeout=5)

    def test_without_rules_everything_passes_and_is_in_the_log(self):
        proxy.rules()
        self.assertEqual(self.put().status, 200)
        self.assertEqual(self.get().body, BODY)
        self.assertEqual(self.proxied.objects("a"), {"a": len(BODY)})
        self.assertEqual([(e["method"], e["status"], e["fault"]) for e in proxy.log()],
                         [("PUT", 200, None), ("GET", 200, None), ("GET", 200, None)])

    def test_resets(self):
        for kind, is_stored in (("reset_before", False), ("reset_in_request", False), ("reset_after", True)):
            with self.subTest(kind):
                self.fault(kind)
                self.bucket.delete("b")
                with self.assertRaises((ConnectionResetError, BrokenPipeError)):
                    self.put()
                self.assertEqual("b" in self.bucket.objects(), is_stored)
                self.assertEqual(proxy.used(), 1)

    def test_an_answer_that_ends_too_early(self):
        for kind, error in (("reset_in_answer", ConnectionResetError), ("cut_answer", http.client.IncompleteRead)):
            with self.subTest(kind):
                self.fault(kind)
                with self.assertRaises(error):
                    self.get()
                self.assertEqual(proxy.log()[0]["status"], 200)

    def test_errors_of_the_store(self):
        for more, status, code, is_stored in (({}, 503, b"SlowDown", False), ({"forward": True}, 503, b"SlowDown", True),
                                              ({"status": 500, "code": "InternalError"}, 500, b"InternalError", False)):
            with self.subTest(more):
                self.fault("slow_down", **more)
                self.bucket.delete("b")
                answer = self.put()
                self.assertEqual(answer.status, status)
                self.assertIn(b"<Code>" + code + b"</Code>", answer.body)
                self.assertEqual("b" in self.bucket.objects(), is_stored)

    def test_another_bit(self):
        self.fault("corrupt_request")
        self.assertEqual(self.put().status, 400)  # it is signed
        self.fault("corrupt_answer")
        got = self.get()
        self.assertEqual(got.status, 200)
        self.assertEqual(sum(a != b for a, b in zip(got.body, BODY)), 1)

    def test_another_etag(self):
        right = self.get().headers["etag"]
        self.fault("wrong_etag")
        self.assertNotEqual(self.get().headers["etag"], right)

    def test_slowness(self):
        for kind, more in (("delay", {"seconds": 0.5}), ("dribble", {"rate": len(BODY)})):
            with self.subTest(kind):
                self.fault(kind, **more)
                started = time.monotonic()
                self.assertEqual(self.get().body, BODY)
                self.assertGreaterEqual(time.monotonic() - started, 0.4)

    def test_silence(self):
        self.fault("black_hole")
        with self.assertRaises(TimeoutError):
            self.proxied.request("GET", "a", timeout=0.5)
        self.assertEqual(proxy.log()[0]["status"], 0)

    def test_rules_choose_their_requests(self):
        proxy.rules({"fault": "slow_down", "method": "GET", "contains": "list-type", "nth": 2},
                    {"fault": "slow_down", "method": "PUT", "lacks": "proxied/a", "times": 1})
        self.assertEqual(self.get().status, 200)
        self.proxied.objects()
        with self.assertRaises(S3Error):
            self.proxied.objects()
        self.proxied.objects()
        self.assertEqual([self.put().status for _ in range(3)], [503, 200, 200])
        self.assertEqual(self.proxied.request("PUT", "a", body=b"x").status, 200)
        self.assertEqual(proxy.used(), 2)
        proxy.rules({"fault": "slow_down", "probability": 0.5})
        self.assertEqual({self.get().status for _ in range(60)}, {200, 503})
        proxy.clear()
        self.assertEqual({self.get().status for _ in range(60)}, {200})
        self.assertEqual(len(proxy.log()), 120)
        with self.assertRaises(ValueError):
            proxy.rules({"fault": "explosion"})

    def test_many_at_once(self):
        proxy.rules({"fault": "reset_after", "probability": 0.2})
        wrong = []

        def write(number):
            for turn in range(10):
                body = f"{number} {turn}".encode() * 1000
                try:
                    self.proxied.put(f"many/{number}", body)
                except OSError:
                    pass
                if self.bucket.get(f"many/{number}") != body:
                    wrong.append((number, turn))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        self.assertEqual(wrong, [])
        self.assertGreater(proxy.used(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
