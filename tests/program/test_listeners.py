#!/usr/bin/env python3
"""What the program listens on, as an operator meets it: the port for metrics.

Runs the binary named by FLOWSTORE (default build/release/flowstore) in temporary folders.
"""
import http.client
import json
import socket
import time
import unittest

from test_program import Program, TOKEN, free_port

ADMIN_TOKEN = "planted-admin-token"


class Admin(Program):
    def setUp(self):
        super().setUp()
        self.admin_port = free_port()
        self.config["admin"] = {"host": "127.0.0.1", "port": self.admin_port, "token": ADMIN_TOKEN}

    def ask_admin(self, path, token=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=10)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def test_serves_metrics_to_its_token_and_nothing_else(self):
        self.start()
        status, text = self.ask_admin("/metrics", ADMIN_TOKEN)
        self.assertEqual(status, 200)
        self.assertIn(b"flowstore_build_info", text)
        self.assertEqual(self.ask_admin("/health")[0], 200)
        for token in (None, TOKEN, ADMIN_TOKEN + "x"):
            self.assertEqual(self.ask_admin("/metrics", token)[0], 401)
        self.assertEqual(self.ask_admin("/v1/files/t/p/a", TOKEN)[0], 401)
        self.assertEqual(self.ask_admin("/v1/files/t/p/a", ADMIN_TOKEN)[0], 404)
        self.assertEqual(self.stop(), 0)
        self.assertIn("admin request without the token", self.logged())
        self.assertNotIn(ADMIN_TOKEN, self.logged())

    def test_takes_metrics_from_the_tenants_port(self):
        self.config["telemetry"] = {"backend": {"prometheus": {"enabled": True}}}
        self.start()
        self.assertEqual(self.ask("GET", "/metrics")[0], 404)
        self.stop()
        del self.config["admin"]
        self.start()
        self.assertEqual(self.ask("GET", "/metrics")[0], 200)

    def test_answers_while_the_tenants_have_all_connections(self):
        self.config["limits"] = {"connections": 3}
        self.start()
        held = [self.connect() for _ in range(3)]
        for client in held:  # the server has them once it answers
            client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(client.recv(4096).startswith((b"HTTP/1.1 200", b"HTTP/1.1 503")))
        status, text = self.ask_admin("/metrics", ADMIN_TOKEN)
        self.assertEqual(status, 200)
        self.assertRegex(text, rb"(?m)^flowstore_http_connections [23]$")
        for client in held:
            client.close()

    def test_is_announced_and_its_port_is_checked(self):
        self.start()
        self.stop()
        lines = [json.loads(line)["msg"] for line in self.logged().splitlines()]
        self.assertIn(f"Metrics served at http://127.0.0.1:{self.admin_port}/metrics", lines)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.admin_port))
            taken.listen()
            result = self.run_once()
            self.assertEqual(result.returncode, 1)
            self.assertIn("admin.port", result.stderr)
            check = self.run_once("check")
            self.assertEqual(check.returncode, 1)
            self.assertIn("admin port", check.stdout)
            self.assertNotIn(ADMIN_TOKEN, check.stdout + check.stderr + result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
