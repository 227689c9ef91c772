#!/usr/bin/env python3
"""Clients that take their time, leave in the midst, come by the hundred, or lie about lengths.

FLOWSTORE names the binary; the default is build/release/flowstore. The attacks that are over when a
time of the server is over run together: one test begins them all.
"""
import os
import re
import threading
import time
import unittest

from siege import (BAD_REQUEST, BODY, HEAD, KIB, LIMITS, MIB, PATIENCE, PROJECT, SESSION, TIMED_OUT, TOKEN, Siege, head)

BODY_WINDOW = 30  # seconds, of src/http/limits.h
LINGER = 5  # seconds, of src/http/connection.cpp
LATE = 12  # seconds that a busy machine may be late, a sweep of the deadlines among them
LARGE = 64 * MIB
CHUNKED = "Transfer-Encoding: chunked"


def path(name, project=PROJECT):
    return f"/v1/files/team/{project}/{name}"


def trickle(attackers, content, stop):
    """A byte for each every now and then, for as long as it is taken."""
    for at in range(10_000):
        for attacker in attackers:
            attacker.send(content[at % len(content):][:1])
        if stop.wait(0.3):
            return


class Attacks(Siege):
    def leaves_nothing(self):
        self.comes_true(lambda: self.server.temporary_files() == [])


class Slow(Attacks):
    COUNT = 40

    def setUp(self):
        super().setUp()
        self.stop = threading.Event()
        self.addCleanup(self.stop.set)

    def begin(self, beginning, endless, count=None):
        """Attackers who send the beginning, and then what has no end byte by byte."""
        attackers = self.attackers(count or self.COUNT)
        for attacker in attackers:
            self.assertTrue(attacker.send(beginning))
        if endless:
            thread = threading.Thread(target=trickle, args=(attackers, endless, self.stop))
            thread.start()
            self.addCleanup(thread.join)
            self.addCleanup(self.stop.set)
        return attackers

    def test_slow_clients(self):
        heads = {"slow": self.begin(b"GET /health HTTP/1.1\r\nHost: x\r\nX: ", b"a"),
                 "silent": self.begin(b"GET /health HTTP/1.1\r\nHost: x\r\n", b""),
                 "slow lines": self.begin(b"GET /health HTTP/1.1\r\n", b"X: y\r\n")}
        quiet = {"silent from the first": self.begin(b"", b""), "silent after an answer": self.begin(head(), b""),
                 "empty lines": self.begin(b"", b"\r\n")}
        post = head("POST", path("slow"), "Content-Length: 1000000", token=TOKEN)
        few = 3  # all of one project, which has 16 at a time
        bodies = {"slow": self.begin(post, b"a", few), "silent": self.begin(post, b"", few),
                  "slow chunks": self.begin(head("POST", path("slow"), CHUNKED, token=TOKEN), b"1\r\na\r\n", few),
                  "slow extension": self.begin(head("POST", path("slow"), CHUNKED, token=TOKEN) + b"1;", b"a", few),
                  "refused, and slow": self.begin(head("POST", path("slow"), "Content-Length: 1000"), b"a", few),
                  "slow JSON": self.begin(head("POST", f"/v1/context/{PROJECT}/flow", "Content-Type: application/json",
                                               "Content-Length: 1000000", token=TOKEN), b"[", few - 1)}
        self.may_take((3 * self.COUNT + 18) * (HEAD + SESSION) + 18 * BODY)
        began = time.monotonic()
        for name, attackers in heads.items():
            with self.subTest(f"{name} head"):
                for attacker in attackers:
                    self.assertEqual(attacker.receive(), TIMED_OUT)
                self.assertLess(time.monotonic() - began, LIMITS["headerTimeout"] + LINGER + LATE)
        for name, attackers in quiet.items():
            with self.subTest(name):
                self.all_end(attackers, LIMITS["idleTimeout"] + LIMITS["headerTimeout"] + LINGER + LATE)
        self.neighbour.is_served()
        for name, attackers in bodies.items():
            with self.subTest(f"{name} body"):
                for attacker in attackers:
                    attacker.socket.settimeout(BODY_WINDOW + LINGER + LATE)
                    answer = attacker.receive()
                    expected = b"HTTP/1.1 401 " if name.startswith("refused") else TIMED_OUT
                    self.assertTrue(answer.startswith(expected), answer[:200])
        self.assertLess(time.monotonic() - began, BODY_WINDOW + LINGER + LATE)
        self.assertIsNone(self.server.stored("slow"))
        self.leaves_nothing()


class NeverReading(Attacks):
    """200 who ask for 64 MiB and take none of it: of a file, of a row, and of one project or many."""

    COUNT = 200

    @classmethod
    def more_tokens(cls):
        return [{"token": f"planted-token-{number}", "project": f"p{number}"} for number in range(cls.COUNT)]

    def asking(self, targets):
        attackers = self.attackers(self.COUNT, receive_buffer=4096)
        for attacker, (target, token) in zip(attackers, targets):
            self.assertTrue(attacker.send(head("GET", target, token=token)))
        self.neighbour.is_served()
        self.comes_true(lambda: self.connections() <= 2, LIMITS["writeTimeout"] + LATE + PATIENCE)
        return attackers

    def test_of_many_projects(self):
        self.assertEqual(self.server.write("large", bytes(LARGE), headers={}).status, 200)
        source = self.server.root / "team" / PROJECT / "large"
        for number in range(self.COUNT):
            folder = self.server.root / "team" / f"p{number}"
            folder.mkdir(exist_ok=True)
            os.link(source, folder / "large")
        self.may_take(self.COUNT * (HEAD + SESSION) + 2 * MIB)
        self.forget_most_memory()
        aborted = self.metric("flowstore_http_aborted_total")
        self.asking([(path("large", f"p{number}"), f"planted-token-{number}") for number in range(self.COUNT)])
        self.assertEqual(self.metric("flowstore_http_aborted_total") - aborted, self.COUNT)

    def test_of_one_project(self):
        """Most of them wait for their turn, and not for ever."""
        self.assertEqual(self.server.write("large", bytes(LARGE)).status, 200)
        self.may_take(self.COUNT * (HEAD + SESSION) + 2 * MIB)
        self.forget_most_memory()
        attackers = self.asking([(path("large"), TOKEN)] * self.COUNT)
        answers = [attacker.receive() for attacker in attackers]
        self.assertEqual({answer[:12] for answer in answers}, {b"HTTP/1.1 200", b"HTTP/1.1 503"})
        self.assertEqual(self.server.read("large").status, 200)

    def test_of_context(self):
        value = b'[{"key":"a","value":"' + b"x" * (8 * MIB) + b'"}]'
        answer = self.ask("POST", f"/v1/context/{PROJECT}/flow", value, {"Content-Type": "application/json"})
        self.assertEqual(answer.status, 200)
        self.may_take(16 * 5 * len(value) + self.COUNT * (HEAD + SESSION))
        self.asking([(f"/v1/context/{PROJECT}/flow?key=a", TOKEN)] * self.COUNT)


class Leaving(Attacks):
    def test_resets_in_the_midst(self):
        self.assertEqual(self.server.write("read", bytes(MIB)).status, 200)
        beginnings = [b"", b"GET /hea", head(), head("GET", path("read"), token=TOKEN), head() * 1000,
                      head("POST", path("written"), "Content-Length: 1000000", token=TOKEN) + b"half",
                      head("POST", path("written"), CHUNKED, token=TOKEN) + b"ffff\r\nhalf",
                      head("POST", path("written"), "Expect: 100-continue", "Content-Length: 5", token=TOKEN),
                      head("POST", f"/v1/context/{PROJECT}/flow", "Content-Type: application/json", "Content-Length: 99",
                           token=TOKEN) + b"[",
                      b"GET / HTTP/1.2\r\n\r\n"]
        for turn in range(40):
            for attacker, beginning in zip(self.attackers(len(beginnings)), beginnings):
                attacker.send(beginning)
                if turn % 2 == 0:
                    attacker.has_ended()  # takes what has come
                attacker.reset()
        self.comes_true(lambda: self.connections() <= 2)
        self.assertIsNone(self.server.stored("written"))
        self.leaves_nothing()

    def test_half_closed_connections(self):
        self.assertEqual(self.server.write("read", bytes(MIB)).status, 200)
        cut_short = head("POST", path("written"), "Content-Length: 10", token=TOKEN) + b"half"
        for content, answered in ((head(), b"HTTP/1.1 200"), (head() * 100, b"HTTP/1.1 200"), (b"", b""), (b"GET /hea", b""),
                                  (head("GET", path("read"), token=TOKEN), b"HTTP/1.1 200"), (cut_short, b""),
                                  (head("POST", path("written"), CHUNKED, token=TOKEN) + b"5\r\nhel", b"")):
            with self.subTest(content[:60]):
                attacker = self.attacker()
                attacker.send(content)
                attacker.end_sending()
                answer = attacker.receive()
                self.assertTrue(answer.startswith(answered) if answered else answer == b"", answer[:100])
        self.assertIsNone(self.server.stored("written"))
        self.leaves_nothing()

    def test_bodies_with_wrong_lengths(self):
        """Longer ones become the next request, which is none; shorter ones change nothing."""
        self.assertEqual(self.server.write("kept", b"before").status, 200)
        longer = head("POST", path("longer"), "Content-Length: 5", token=TOKEN) + b"hello and more\r\n\r\n"
        answer = self.attacker().send_and_receive(longer)
        self.assertRegex(answer, rb"(?s)\AHTTP/1\.1 200 OK\r\n.*" + re.escape(BAD_REQUEST) + rb"\Z")
        self.assertEqual(self.server.read("longer").body, b"hello")
        for field in ("Content-Length: 7", "Content-Length: 18446744073709551615", "Content-Length: 9223372036854775807"):
            attacker = self.attacker()
            attacker.send(head("POST", path("kept"), field, token=TOKEN) + b"after")
            attacker.socket.close()
        self.comes_true(lambda: self.connections() <= 2)
        self.assertEqual(self.server.read("kept").body, b"before")
        self.leaves_nothing()


class Endless(Attacks):
    """Bodies that never end, as fast as they can be sent."""

    CONFIG = {"limits": {**LIMITS, "file": 4 * MIB}}

    def test_chunks(self):
        """The file's limit ends them."""
        chunk = b"10000\r\n" + bytes(64 * KIB) + b"\r\n"
        for method_path in (path("endless"), f"/v1/context/{PROJECT}/flow"):
            for token, most in ((TOKEN, 64 * MIB), (None, 64 * MIB)):
                attacker = self.attacker()
                attacker.send(head("POST", method_path, CHUNKED, "Content-Type: application/json", token=token))
                attacker.flood(chunk, most)
                answer = attacker.receive()
                if answer:  # its RST may overtake it
                    self.assertTrue(answer.startswith(b"HTTP/1.1 413" if token else b"HTTP/1.1 401"), answer[:300])
        self.assertIsNone(self.server.stored("endless"))

    def test_framing_around_next_to_nothing(self):
        """A chunk of one byte with an extension of thousands: what is no body has an end, too."""
        chunk = b"1;" + b"a" * 8 * KIB + b"\r\na\r\n"
        for method_path in (path("endless"), f"/v1/context/{PROJECT}/flow"):
            for token in (TOKEN, None):
                attacker = self.attacker()
                attacker.send(head("POST", method_path, CHUNKED, "Content-Type: application/json", token=token))
                attacker.flood(chunk * 8, 64 * MIB)
                answer = attacker.receive()
                if answer:
                    self.assertTrue(answer.startswith(BAD_REQUEST if token else b"HTTP/1.1 401"), answer[:300])
        self.assertIsNone(self.server.stored("endless"))
        self.leaves_nothing()


class Crowds(Attacks):
    """More connections than there may be."""

    MOST = 100
    CONFIG = {"limits": {**LIMITS, "connections": MOST}}

    def test_a_flood_of_connections(self):
        self.neighbour.is_served()
        self.neighbour.keeps_connection = True
        self.may_take(self.MOST * (HEAD + SESSION))
        refused = self.metric('flowstore_http_rejected_total{status="503"}')
        for _ in range(10):
            attackers = self.attackers(self.MOST)
            self.neighbour.is_served()
            turned_away = [attacker for attacker in attackers if attacker.has_ended()]
            for attacker in attackers:
                attacker.socket.close()
        self.assertTrue(turned_away)
        self.comes_true(lambda: self.connections() <= 2)
        self.assertGreater(self.metric('flowstore_http_rejected_total{status="503"}'), refused)

    def test_connections_that_come_and_go(self):
        for _ in range(2000):
            self.attacker().socket.close()
        self.comes_true(lambda: self.connections() <= 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
