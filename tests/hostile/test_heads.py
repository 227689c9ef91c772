#!/usr/bin/env python3
"""Heads that are wrong, ambiguous, too large or never end, and floods of heads that are right.

FLOWSTORE names the binary; the default is build/release/flowstore.
"""
import re
import unittest

from siege import (BAD_REQUEST, HEAD, HEAD_TOO_LARGE, KIB, MIB, PROJECT, SESSION, TOKEN, Siege, head)

POST = f"/v1/files/team/{PROJECT}/victim"
# What an attacker would like to be answered as a request of its own.
SMUGGLED = head("DELETE", POST, token=TOKEN) + head("GET", "/health")

CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"


def posted(*fields, body=b"", **how):
    return head("POST", POST, *fields, token=TOKEN, **how) + body


# Refused before there is a request: nothing of them may reach a route.
REFUSED_HEADS = {
    "both lengths": posted("Content-Length: 5", "Transfer-Encoding: chunked", body=CHUNKS),
    "both lengths, the other way round": posted("Transfer-Encoding: chunked", "Content-Length: 15", body=CHUNKS),
    "an encoding and then a length": posted("Transfer-Encoding: gzip", "Content-Length: 5", body=b"hello"),
    "another encoding": posted("Transfer-Encoding: xchunked", body=CHUNKS),
    "chunked first": posted("Transfer-Encoding: chunked, gzip", body=CHUNKS),
    "chunked twice, with something between": posted("Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=CHUNKS),
    "identity": posted("Transfer-Encoding: identity", body=CHUNKS),
    "an empty encoding": posted("Transfer-Encoding:", "Content-Length: 5", body=b"hello"),
    "an encoding with a tab in its name": posted("Transfer-Encoding\t: chunked", body=CHUNKS),
    "a quoted encoding": posted('Transfer-Encoding: "chunked"', body=CHUNKS),
    "an encoding behind a vertical tab": posted("Transfer-Encoding: \x0bchunked", body=CHUNKS),
    "HTTP/1.0 in chunks": posted("Transfer-Encoding: chunked", "Connection: keep-alive", body=CHUNKS, version="1.0"),
    "two lengths": posted("Content-Length: 5", "Content-Length: 6", body=b"hello"),
    "two equal lengths": posted("Content-Length: 5", "Content-Length: 5", body=b"hello"),
    "lengths in a list": posted("Content-Length: 5, 5", body=b"hello"),
    "a length with a sign": posted("Content-Length: +5", body=b"hello"),
    "a negative length": posted("Content-Length: -5", body=b"hello"),
    "a length in hex": posted("Content-Length: 0x5", body=b"hello"),
    "a length with a blank in it": posted("Content-Length: 1 0", body=b"hello"),
    "a length with a fraction": posted("Content-Length: 5.0", body=b"hello"),
    "a length of 2^64": posted("Content-Length: 18446744073709551616", body=b"hello"),
    "a length of a thousand digits": posted("Content-Length: " + "9" * 1000, body=b"hello"),
    "an empty length": posted("Content-Length:", body=b"hello"),
    "a blank before the colon": posted("Content-Length : 5", body=b"hello"),
    "a blank before the name": posted(" Content-Length: 5", body=b"hello"),
    "a folded line": posted("X: a\r\n b", "Content-Length: 5", body=b"hello"),
    "a folded length": posted("Content-Length:\r\n 5", body=b"hello"),
    "a folded encoding": posted("Transfer-Encoding:\r\n chunked", body=CHUNKS),
    "lines that end with LF": posted("X: y", body=b"").replace(b"\r\n", b"\n"),
    "one line that ends with LF": posted("X: y\nContent-Length: 5", body=b"hello"),
    "lines that end with CR": posted("X: y").replace(b"\r\n", b"\r"),
    "one line that ends with CR": posted("X: y\rContent-Length: 5", body=b"hello"),
    "CR CR LF": posted("X: y\r", "Content-Length: 5", body=b"hello"),
    "an end of LF only": posted("Content-Length: 5")[:-2] + b"\nhello",
    "a NUL in a value": posted("X: a\0b"),
    "a NUL in a name": posted("X\0: a"),
    "a NUL in the target": head("GET", "/health\0"),
    "a control character in a value": posted("X: a\x01b"),
    "a line without a colon": posted("nothing"),
    "a line without a name": posted(": nothing"),
    "a name with a bracket": posted("X[]: y"),
    "an unknown method": head("FOO", "/health"),
    "a method in lower case": head("get", "/health"),
    "a method and no target": b"GET\r\n\r\n",
    "no version": b"GET /health\r\n\r\n",
    "HTTP/0.9": b"GET /health HTTP/0.9\r\n\r\n",
    "HTTP/1.2": head(version="1.2"),
    "HTTP/2.0": head(version="2.0"),
    "HTTP/11": b"GET /health HTTP/11\r\nHost: x\r\n\r\n",
    "the beginning of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a blank in the target": head("GET", "/hea lth"),
    "a tab in the target": head("GET", "/hea\tlth"),
    "a byte above ASCII in the target": head("GET", "/h\xe9"),
    "the beginning of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "garbage": bytes(range(128, 256)) * 8,
}

# The head is right, and the body is not what it says.
REFUSED_CHUNKS = {
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "a size that is no number": b"xyz\r\nhello\r\n0\r\n\r\n",
    "a size with a sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "a negative size": b"-5\r\nhello\r\n0\r\n\r\n",
    "a size with a prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a blank before the size": b" 5\r\nhello\r\n0\r\n\r\n",
    "a blank behind the size": b"5 \r\nhello\r\n0\r\n\r\n",
    "a size of 2^64": b"10000000000000000\r\nhello\r\n0\r\n\r\n",
    "a size of 2^64 + 5": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "zeros without end": b"0" * 64 * KIB,
    "a size that ends with LF": b"5\nhello\r\n0\r\n\r\n",
    "a size that ends with CR": b"5\rhello\r\n0\r\n\r\n",
    "content that ends with LF": b"5\r\nhello\n0\r\n\r\n",
    "content that goes on": b"5\r\nhello!\r\n0\r\n\r\n",
    "content that is too short": b"6\r\nhello\r\n0\r\n\r\n",
    "an extension with a NUL": b"5;a=\0\r\nhello\r\n0\r\n\r\n",
    "an extension with LF": b"5;a\n\r\nhello\r\n0\r\n\r\n",
    "an extension without end": b"5;" + b"a" * MIB,
    "a trailer without a colon": b"0\r\nX\r\n\r\n",
    "a folded trailer": b"0\r\nX: y\r\n z\r\n\r\n",
    "a trailer that ends with LF": b"0\r\nX: y\n\r\n",
    "a trailer without end": b"0\r\nX: " + b"a" * MIB,
    "trailers without end": b"0\r\n" + b"X: y\r\n" * 100_000,
    "an end of LF only": b"0\r\n\n",
}


class Smuggling(Siege):
    """Whatever follows a head or body that was refused is no request, on any connection."""

    def setUp(self):
        super().setUp()
        self.assertEqual(self.server.write("victim", b"unharmed").status, 200)

    def is_refused(self, content):
        before = self.metric('flowstore_http_rejected_total{status="400"}')
        answer = self.attacker().send_and_receive(content + SMUGGLED)
        self.assertEqual(answer, BAD_REQUEST)
        self.assertEqual(self.server.read("victim").body, b"unharmed")
        return self.metric('flowstore_http_rejected_total{status="400"}') - before

    def test_heads(self):
        for name, content in REFUSED_HEADS.items():
            with self.subTest(name):
                self.assertEqual(self.is_refused(content), 1)

    def test_chunks(self):
        for name, chunks in REFUSED_CHUNKS.items():
            with self.subTest(name):
                self.is_refused(posted("Transfer-Encoding: chunked", body=chunks))

    def test_heads_behind_a_request_that_is_right(self):
        """What went before is answered, and then it ends."""
        for name, content in REFUSED_HEADS.items():
            with self.subTest(name):
                answer = self.attacker().send_and_receive(head() + content + SMUGGLED)
                self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer[:200])
                self.assertTrue(answer.endswith(b'"status":"ok"}' + BAD_REQUEST), answer[-500:])
                self.assertEqual(self.server.read("victim").body, b"unharmed")

    def test_requests_without_a_host(self):
        content = f"DELETE {POST} HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
        answer = self.attacker().send_and_receive(content + SMUGGLED)
        self.assertRegex(answer, rb"\AHTTP/1\.1 400 Bad Request\r\nConnection: close\r\nDate: [^\r]+\r\n"
                                 rb"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n\Z")
        self.assertEqual(self.server.read("victim").body, b"unharmed")

    def test_tunnels(self):
        self.assertEqual(self.attacker().send_and_receive(head("CONNECT", "x:80") + SMUGGLED), b"")
        self.assertEqual(self.server.read("victim").body, b"unharmed")

    def test_expectations(self):
        """An answer that comes without the body ends a connection on which the body may still come."""
        for expected, status in (("100-continue", b"401"), ("something", b"417")):
            content = head("POST", POST, f"Expect: {expected}", f"Content-Length: {len(SMUGGLED)}") + SMUGGLED
            answer = self.attacker().send_and_receive(content)
            self.assertTrue(answer.startswith(b"HTTP/1.1 " + status), answer[:200])
            self.assertEqual(answer.count(b"HTTP/1.1"), 1, answer)
        self.assertEqual(self.server.read("victim").body, b"unharmed")

    def test_bodies_are_bodies_whatever_they_look_like(self):
        requests = head("DELETE", POST) + head("GET", "/health")
        for fields, body in (([f"Content-Length: {len(requests)}"], requests),
                             (["Transfer-Encoding: chunked"], b"%x\r\n%s\r\n0\r\n\r\n" % (len(requests), requests))):
            answer = self.attacker().send_and_receive(posted("Connection: close", *fields, body=body))
            self.assertRegex(answer, rb"\AHTTP/1\.1 200 OK\r\n")
            self.assertEqual(answer.count(b"HTTP/1.1"), 1, answer)
            self.assertEqual(self.server.read("victim").body, requests)
            self.assertEqual(self.server.write("victim", b"unharmed").status, 200)


class Sizes(Siege):
    def is_too_large(self, content):
        self.assertEqual(self.attacker().send_and_receive(content + SMUGGLED), HEAD_TOO_LARGE)

    def test_heads_larger_than_16_kib(self):
        self.may_take(HEAD)
        for name, content in {
            "a target": head("GET", "/" + "a" * 16 * KIB), "a megabyte of target": head("GET", "/" + "a" * MIB),
            "a value": head("GET", "/health", "X: " + "a" * 16 * KIB), "a name": head("GET", "/health", "X" * 16 * KIB + ": a"),
            "many": head("GET", "/health", *["X: " + "a" * 100] * 200), "too many": head("GET", "/health", *["X: y"] * 2001),
            "keys": head("GET", f"/v1/context/{PROJECT}/flow?" + "&".join(["key=a"] * 100_000), token=TOKEN),
            "blanks": b"GET /health HTTP/1.1\r\nX:" + b" " * MIB,
        }.items():
            with self.subTest(name):
                self.is_too_large(content)

    def test_heads_without_end_at_once(self):
        count, most = 100, 64 * MIB
        self.may_take(count * (HEAD + SESSION))
        attackers = self.attackers(count)
        for attacker, beginning, rest in zip(attackers, [b"GET /", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nX: "] * count,
                                             [b"a" * MIB, b"X: y\r\n" * 100_000, b" " * MIB] * count):
            attacker.send(beginning)
            attacker.flood(rest, most)
            self.assertIn(attacker.receive(), (HEAD_TOO_LARGE, b""))  # its RST may overtake the answer

    def test_lines_before_the_first_request(self):
        """A few empty lines are forgiven, as RFC 9112 wants it; they are no way to hold a connection."""
        attacker = self.attacker()
        self.assertTrue(attacker.send(b"\r\n\r\n" + head(version="1.0")))
        self.assertTrue(attacker.receive().startswith(b"HTTP/1.1 200"))
        self.attacker().flood(b"\r\n" * 32 * KIB, 64 * MIB)

    def test_two_thousand_headers(self):
        attacker = self.attacker()
        attacker.send(head("GET", "/health", *["X: y"] * 1998, "Connection: close"))
        self.assertTrue(attacker.receive().startswith(b"HTTP/1.1 200"))


class Floods(Siege):
    def pipelined(self, content, count):
        attacker = self.attacker()
        answers = attacker.send_and_receive(content * (count - 1) + content.replace(b"Host: x", b"Host: x\r\nConnection: close"))
        return re.findall(rb"HTTP/1\.1 (\d+)", answers)

    def test_a_hundred_thousand_pipelined_requests(self):
        self.assertEqual(self.pipelined(head(), 100_000), [b"200"] * 100_000)
        self.assertEqual(self.pipelined(head("GET", POST), 20_000), [b"401"] * 20_000)

    def test_pipelined_requests_with_bodies(self):
        content = posted("Content-Length: 5", body=b"hello")
        self.assertEqual(self.pipelined(content, 1000), [b"200"] * 1000)
        self.assertEqual(self.server.read("victim").body, b"hello")

    def test_pipelined_requests_whose_answers_nobody_reads(self):
        """They are not read either, and the connection ends when its time is over."""
        attackers = self.attackers(20, receive_buffer=4096)
        self.may_take(20 * (HEAD + SESSION))
        for attacker in attackers:
            attacker.socket.setblocking(False)
            try:
                while True:
                    attacker.socket.send(head() * 1000)
            except BlockingIOError:
                pass
            attacker.socket.setblocking(True)
        self.neighbour.is_served()
        self.comes_true(lambda: self.connections() <= 2, 15)

    def test_expectations(self):
        content = head("POST", POST, "Expect: 100-continue", "Content-Length: 0", token=TOKEN)
        self.assertEqual(self.pipelined(content, 1000), [b"200"] * 1000)
        for _ in range(200):
            attacker = self.attacker()
            attacker.send(head("POST", POST, "Expect: 100-continue", "Content-Length: 5", token=TOKEN))
            self.assertEqual(attacker.receive_until(b"\r\n\r\n"), b"HTTP/1.1 100 Continue\r\n\r\n")
            attacker.socket.close()

    def test_tokens_that_nobody_knows(self):
        for number in range(20):
            content = b"".join(head("GET", POST, token=f"x{number}-{turn}") for turn in range(500))
            answers = self.attacker().send_and_receive(content + head(version="1.0"))
            self.assertEqual(re.findall(rb"HTTP/1\.1 (\d+)", answers), [b"401"] * 500 + [b"200"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
