#!/usr/bin/env python3
"""The attacks that HTTPS makes possible: on the handshake, on keys, and from behind it.

FLOWSTORE names the binary; the default is build/release/flowstore.
"""
import contextlib
import ctypes
import http.client
import random
import socket
import ssl
import struct
import threading
import time
import unittest

from siege import (BAD_REQUEST, HEAD, HEAD_TOO_LARGE, KIB, LIMITS, MIB, PATIENCE, PROJECT, SESSION, TIMED_OUT, TOKEN,
                   LocalFlowstore, Neighbour, Siege, head)
from flowstore import asked

HANDSHAKE = 10  # seconds, of src/http/limits.h
LATE = 12
# A session of OpenSSL with its buffers; those of the socket's side are 64 KiB and 1 MiB at most.
TLS = 128 * KIB
UNSENT = 2 * MIB


def trusting():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class SecureFlowstore(LocalFlowstore):
    def ask(self, method, path, body=None, headers=None, timeout=60):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=trusting())
        with contextlib.closing(connection):
            return asked(connection, method, path, body, headers)


class SecureNeighbour(Neighbour):
    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=trusting())


class OpenSsl:
    """What Python's own module does not offer: a client that wants new keys again and again."""

    RENEGOTIATE, NEW_KEYS = range(2)
    TLS_1_2, MAX_VERSION = 0x0303, 124
    NOT_REQUESTED, REQUESTED = range(2)

    def __init__(self, port, version=None):
        lib = ctypes.CDLL("libssl.so.3")
        for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
            getattr(lib, name).restype = ctypes.c_void_p
        self.lib = lib
        self.context = ctypes.c_void_p(lib.SSL_CTX_new(ctypes.c_void_p(lib.TLS_client_method())))
        if version:
            lib.SSL_CTX_ctrl(self.context, self.MAX_VERSION, ctypes.c_long(version), None)
        self.socket = socket.create_connection(("127.0.0.1", port))
        # It blocks as OpenSSL wants it, and not for ever.
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self.socket.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", PATIENCE, 0))
        self.tls = ctypes.c_void_p(lib.SSL_new(self.context))
        lib.SSL_set_fd(self.tls, self.socket.fileno())
        if lib.SSL_connect(self.tls) != 1:
            raise AssertionError("no handshake")

    def renew_keys(self, request):
        """False once the server has had enough."""
        return self.lib.SSL_key_update(self.tls, request) == 1 and self.lib.SSL_do_handshake(self.tls) == 1

    def renegotiate(self):
        return self.lib.SSL_renegotiate(self.tls) == 1 and self.lib.SSL_do_handshake(self.tls) == 1

    def close(self):
        self.lib.SSL_free(self.tls)
        self.lib.SSL_CTX_free(self.context)
        self.socket.close()


class SecureSiege(Siege):
    SERVER = SecureFlowstore
    NEIGHBOUR = SecureNeighbour
    SCHEME = "https"

    @classmethod
    def more_config(cls, folder):
        cls.run_.command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                         "/CN=localhost", "-days", "2", "-keyout", folder / "tls.key", "-out", folder / "tls.crt", log="openssl")
        return {"tls": {"cert": str(folder / "tls.crt"), "key": str(folder / "tls.key")}}

    def secure_attacker(self, **how):
        attacker = self.attacker(**how)
        attacker.socket = trusting().wrap_socket(attacker.socket)
        attacker.socket.settimeout(PATIENCE)
        return attacker

    def hello(self):
        """What a client says first."""
        outgoing = ssl.MemoryBIO()
        client = trusting().wrap_bio(ssl.MemoryBIO(), outgoing)
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
        return outgoing.read()


class Handshakes(SecureSiege):
    def test_garbage(self):
        chance = random.Random(7)
        hello = self.hello()
        for turn in range(100):
            broken = bytearray(hello)
            for _ in range(1 + turn % 20):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            content = [chance.randbytes(3000), bytes(broken), b"\x16\x03\x01\xff\xff" + bytes(70_000), hello * 20][turn % 4]
            attacker = self.attacker()
            attacker.send(content)
            attacker.end_sending()
            self.assertNotIn(b"HTTP/", attacker.receive())
        self.assertEqual(self.ask("GET", "/health").status, 200)

    def test_http_in_the_clear(self):
        answer = self.attacker().send_and_receive(head("POST", f"/v1/files/team/{PROJECT}/x", token=TOKEN) * 3)
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 Bad Request\r\n"), answer)
        self.assertEqual(answer.count(b"HTTP/1.1"), 1)

    def test_handshakes_that_do_not_go_on(self):
        hello = self.hello()
        count = 50
        self.may_take(3 * count * (TLS + SESSION))
        silent, half, slow = self.attackers(count), self.attackers(count), self.attackers(count)
        began = time.monotonic()
        for attacker in half:
            attacker.send(hello[:100])
        at = 0
        while not all([attacker.has_ended() for attacker in silent + half + slow]):
            self.assertLess(time.monotonic() - began, HANDSHAKE + LATE)
            for attacker in slow:
                attacker.send(hello[at:at + 1])
            at += 1
            time.sleep(0.2)
        self.assertGreater(time.monotonic() - began, HANDSHAKE / 2)

    def test_clients_that_leave_in_the_handshake(self):
        hello = self.hello()
        for turn in range(300):
            attacker = self.attacker()
            attacker.send(hello[:turn * 3])
            attacker.reset()
        self.comes_true(lambda: self.connections() <= 2)


class Keys(SecureSiege):
    def flood(self, count, again, version=None):
        """Clients who do this and nothing else, until the server has had enough of them or the
        neighbour has been served three times."""
        enough = threading.Event()
        times = []

        def attack():
            client = OpenSsl(self.server.port, version)
            try:
                done = 0
                while not enough.is_set() and again(client):
                    done += 1
                times.append(done)
            finally:
                client.close()

        threads = [threading.Thread(target=attack) for _ in range(count)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(3):
                self.neighbour.is_served()
        finally:
            enough.set()
            for thread in threads:
                thread.join(2 * PATIENCE)
        return times

    def test_renegotiation(self):
        for done in self.flood(4, OpenSsl.renegotiate, OpenSsl.TLS_1_2):
            self.assertEqual(done, 0)

    def test_new_keys_again_and_again(self):
        self.may_take(8 * (TLS + SESSION))
        self.flood(8, lambda client: client.renew_keys(OpenSsl.NOT_REQUESTED))

    def test_new_keys_that_the_server_has_to_answer(self):
        self.may_take(8 * (TLS + SESSION + UNSENT))
        self.flood(8, lambda client: client.renew_keys(OpenSsl.REQUESTED))


class Behind(SecureSiege):
    """The attacks of test_heads.py and test_slow.py meet the same code; a few of each."""

    def test_heads(self):
        for content, answer in ((b"GET / HTTP/1.2\r\n\r\n", BAD_REQUEST), (b"GET /" + b"a" * MIB, HEAD_TOO_LARGE),
                                (b"GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", BAD_REQUEST)):
            attacker = self.secure_attacker()
            attacker.send(content + head())
            self.assertEqual(self.received(attacker), answer)

    def received(self, attacker):
        """An answer that is the last may end without TLS's goodbye."""
        with contextlib.suppress(ssl.SSLError):
            return attacker.receive()
        return None

    def test_pipelined_requests(self):
        attacker = self.secure_attacker()
        answers = attacker.send_and_receive(head() * 9999 + head("GET", "/health", "Connection: close"))
        self.assertEqual(answers.count(b"HTTP/1.1 200"), 10_000)

    def test_slow_heads(self):
        attackers = [self.secure_attacker() for _ in range(30)]
        for attacker in attackers:
            attacker.send(b"GET /health HTTP/1.1\r\nX")
        for attacker in attackers:
            self.assertIn(self.received(attacker), (TIMED_OUT, None))

    def test_clients_that_never_read(self):
        count = 100
        self.assertEqual(self.server.write("large", bytes(64 * MIB)).status, 200)
        self.may_take(count * (HEAD + SESSION + TLS + 256 * KIB))
        self.forget_most_memory()
        attackers = [self.secure_attacker(receive_buffer=4096) for _ in range(count)]
        for attacker in attackers:
            attacker.send(head("GET", f"/v1/files/team/{PROJECT}/large", token=TOKEN))
        self.neighbour.is_served()
        self.comes_true(lambda: self.connections() <= 2, LIMITS["writeTimeout"] + LATE + PATIENCE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
