#!/usr/bin/env python3
"""What /ready says, with what is behind the program being there and not.

Runs the binary named by FLOWSTORE (default build/release/flowstore) in temporary folders.
"""
import datetime
import json
import time
import unittest

from test_program import Program, free_port
from refusing_platform import RefusingPlatform  # found where test_program looks

PATIENCE = 30  # seconds


class Ready(Program):
    def setUp(self):
        super().setUp()
        self.config["telemetry"] = {"backend": {"prometheus": {"enabled": True}}}

    def with_platform(self, port):
        del self.config["auth"]
        self.config["base_url"] = f"http://127.0.0.1:{port}"

    def ready(self):
        connection_status, body, headers = self.ask("GET", "/ready", headers={"Authorization": ""})
        self.assertEqual(headers["content-type"], "application/json; charset=utf-8")
        answer = json.loads(body)
        self.assertEqual(answer["statusCode"], connection_status)
        return answer

    def ready_when(self, holds):
        """The first answer of which this holds."""
        deadline = time.monotonic() + PATIENCE
        while not holds(answer := self.ready()):
            self.assertLess(time.monotonic(), deadline, answer)
            time.sleep(0.05)
        return answer

    def metric(self, name):
        text = self.ask("GET", "/metrics")[1].decode()
        return [line.rpartition(" ")[2] for line in text.splitlines()
                if line.startswith(f'flowstore_dependency_up{{dependency="{name}"}}')]

    def test_a_server_by_itself_is_ready_at_once(self):
        before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=1)
        self.start()
        answer = self.ready()
        self.assertEqual((answer["status"], list(answer["dependencies"])), ("ok", ["files"]))
        files = answer["dependencies"]["files"]
        self.assertEqual((files["driver"], files["ok"]), ("localfs", True))
        self.assertGreater(datetime.datetime.fromisoformat(files["since"].replace("Z", "+00:00")), before)
        self.assertEqual(self.metric("files"), ["1"])
        self.assertEqual(self.ask("HEAD", "/ready")[:2], (200, b""))
        self.assertEqual(self.ask("POST", "/ready")[0], 404)

    def test_a_platform_that_is_gone_degrades_and_does_not_stop(self):
        self.with_platform(free_port())
        self.start()
        answer = self.ready_when(lambda found: found["dependencies"]["platform"]["ok"] is False)
        self.assertEqual((answer["statusCode"], answer["status"]), (200, "degraded"))
        self.assertNotIn("127.0.0.1", json.dumps(answer))
        self.assertEqual(self.metric("platform"), ["0"])

    def test_asks_the_platform_without_a_token_and_once_for_everybody(self):
        platform = RefusingPlatform()
        self.addCleanup(platform.stop)
        self.with_platform(platform.server_port)
        self.start()
        self.assertEqual(self.metric("platform"), [])  # scraping asks nobody
        self.assertEqual(platform.asked, [])
        self.ready_when(lambda found: found["dependencies"]["platform"]["ok"])
        for _ in range(50):
            self.assertEqual(self.ready()["status"], "ok")
        self.assertEqual(platform.asked, [None])

    def test_a_database_that_is_gone_is_503_and_names_no_place(self):
        port = free_port()
        self.config["context"] = {"type": "db", "options": {
            "type": "postgres", "host": "127.0.0.1", "port": port, "username": "somebody", "password": "planted-password"}}
        self.start()
        answer = self.ready_when(lambda found: found["dependencies"]["context"]["ok"] is False)
        self.assertEqual((answer["statusCode"], answer["status"]), (503, "unavailable"))
        self.assertEqual(answer["dependencies"]["context"]["driver"], "postgres")
        self.assertTrue(answer["dependencies"]["files"]["ok"])
        for secret in ("127.0.0.1", str(port), "somebody", "planted"):
            self.assertNotIn(secret, json.dumps(answer["dependencies"]))
        self.assertEqual(self.metric("context"), ["0"])
        self.assertEqual(self.ask("GET", "/health")[0], 200)

    def test_the_port_for_operators_says_so_too(self):
        admin = free_port()
        self.config["admin"] = {"host": "127.0.0.1", "port": admin, "token": "planted-admin-token"}
        self.start()
        main, self.port = self.port, admin
        self.assertEqual(self.ready()["status"], "ok")
        self.port = main


if __name__ == "__main__":
    unittest.main(verbosity=2)
