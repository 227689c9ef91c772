#!/usr/bin/env python3
"""docs/openapi.yaml is OpenAPI, is complete, and is what the server does.

Runs the binary named by FLOWSTORE (default build/release/flowstore) in temporary folders.
"""
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import jsonschema

from answers import alike, ask
from description import ROOT, Description, matches

sys.path.insert(0, str(ROOT / "tests/support"))
from flowstore import Flowstore, run_all  # noqa: E402

TOKEN = "planted-token"
HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 30  # seconds

# Of the start, of `check`, of what no client is told, or of a request that nobody waits for.
NOT_IN_ANSWERS = {"EADDR", "EUSER", "GONE", "credentials", "platform", "source", "bad",
                  "tls", "dial", "look_up", "wire", "unavailable"}
# What the session adds to every answer, and what belongs to the content.
USUAL_HEADERS = {"date", "connection", "keep-alive", "content-length", "content-type", "transfer-encoding"}


def tokens():
    small = {"file": 100, "context": 40}
    return {"auth": {"type": "static", "serviceTokens": ["planted-service-token"], "tokens": [
        {"token": TOKEN, "project": "my-project"},
        {"token": "planted-small-token", "project": "small-project", "quota": small}]}}


def usual(folder):
    return Flowstore(folder, {"type": "localfs", "options": {"root": str(folder / "files")}}, **tokens(),
                     context={"type": "db", "options": {"type": "sqlite", "storage": str(folder / "context.db")}},
                     limits={"file": 5000}, telemetry={"backend": {"prometheus": {"enabled": True}}})


def no_platform(folder):
    server = Flowstore(folder, {"type": "memory"}, base_url=f"http://127.0.0.1:{run_all.free_ports(1)}")
    del server.config["auth"]
    return server


def no_database(folder):
    return Flowstore(folder, {"type": "memory"}, **tokens(), context={"type": "db", "options": {
        "type": "postgres", "host": "127.0.0.1", "port": run_all.free_ports(1)}})


def full(folder):
    return Flowstore(folder, {"type": "memory", "options": {"maxBytes": 1000}}, **tokens())


def crowded(folder):
    return Flowstore(folder, {"type": "memory"}, **tokens(), limits={"connections": 1})


def operators(folder):
    server = Flowstore(folder, {"type": "memory"}, **tokens())
    server.admin_port = run_all.free_ports(1)
    server.config["admin"] = {"host": "127.0.0.1", "port": server.admin_port, "token": "planted-admin-token"}
    return server


SERVERS = {"operators": operators, "usual": usual, "no-platform": no_platform, "no-database": no_database, "full": full, "crowded": crowded}


class Text(unittest.TestCase):
    """What can be seen without a server."""

    def setUp(self):
        self.description = Description()

    def test_is_openapi_3_1(self):
        lock = HERE / "node_modules/.package-lock.json"
        if not lock.exists() or lock.stat().st_mtime < (HERE / "package-lock.json").stat().st_mtime:
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True, capture_output=True)
        result = subprocess.run(["node", "validate.mjs", ROOT / "docs/openapi.yaml"], cwd=HERE, capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_has_the_version_of_the_program(self):
        version = re.search(r"project\(flowstore VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
        self.assertEqual(self.description.whole["info"]["version"], version)

    def test_has_every_route_with_its_methods(self):
        source = (ROOT / "src/api/route.cpp").read_text()
        routes = {re.sub(r":(\w+)", r"{\1}", route).replace("*", "{path}")
                  for route in re.findall(r'^constexpr std::string_view k\w+ =\s+"(/[^"]*)";', source, re.M)}
        self.assertEqual(set(self.description.whole["paths"]), routes - {"/console"})  # a page for people
        endpoints = re.findall(r"// ([A-Z|]+)(?: (/\S+))?$", (ROOT / "src/api/route.h").read_text(), re.M)
        known, latest = set(), None
        for methods, route in endpoints:
            latest = re.sub(r":(\w+)", r"{\1}", route or latest).replace("*", "{path}") if route else latest
            known |= {(latest, method.lower()) for method in methods.split("|")}
        self.assertEqual({(path, method) for path, method, _ in self.description.operations()}, known)

    def test_has_every_error_code_of_the_source(self):
        found = set()
        for path in (ROOT / "src").rglob("*"):
            is_of_commands = path.parts[len(ROOT.parts) + 1] in ("cli", "tools")
            if path.suffix in (".h", ".cpp") and not path.name.endswith("_test.cpp") and not is_of_commands:
                found |= set(re.findall(r'ErrorKind::\w+,\s*"(\w+)"', path.read_text()))
        self.assertGreater(len(found), 20)
        self.assertEqual(found - NOT_IN_ANSWERS - self.description.error_codes(), set())

    def test_every_example_is_of_its_schema_and_comes_from_a_request(self):
        requests = self.description.requests()
        for path, method, operation in self.description.operations():
            for status, response in operation["responses"].items():
                response = self.description.look_up(response)
                for content in response.get("content", {}).values():
                    for name, example in content.get("examples", {}).items():
                        self.assertIn(name, requests, f"{method} {path} {status}")
                        jsonschema.validate(example["value"], self.description.schema(content["schema"]))

    def test_every_answer_is_asked_for_or_says_why_not(self):
        for path, method, operation in self.description.operations():
            asked = {request["status"] for request in operation["x-requests"].values()}
            for status, response in operation["responses"].items():
                response = self.description.look_up(response)
                if "X" in status or "x-not-executed" in response or int(status) in asked:
                    continue
                # A shared answer is asked for where it differs; see x-requests of its name elsewhere.
                self.assertTrue(response.get("x-shared"), f"{method} {path} {status}: no request asks for it")


class Answers(unittest.TestCase):
    """Every request of the description, with its answer."""

    @classmethod
    def setUpClass(cls):
        cls.description = Description()
        cls.folder = tempfile.TemporaryDirectory(prefix="flowstore-openapi-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.ports = {}
        for name, make in SERVERS.items():
            home = pathlib.Path(cls.folder.name) / name
            home.mkdir()
            server = make(home).start()
            cls.addClassCleanup(server.kill)
            cls.addClassCleanup(server.stop)
            cls.ports[name] = getattr(server, "admin_port", server.port)

    def setUp(self):
        """No test sees what another has stored."""
        for target in ("/v1/files/my-team/my-project/?recursive", ):
            ask(self.ports["usual"], {"method": "DELETE", "target": target}, TOKEN)
        ask(self.ports["usual"], {"method": "POST", "target": "/v1/context/my-project/clean"}, TOKEN)
        ask(self.ports["usual"], {"method": "DELETE", "target": "/v1/context/my-project/global"}, TOKEN)

    def answer_to(self, request):
        port = self.ports[request.get("x-server", "usual")]
        if request.get("x-server") == "crowded":
            with socket.create_connection(("127.0.0.1", port), timeout=30) as first:
                first.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                first.recv(1)
                return ask(port, request, TOKEN)
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = ask(port, request, TOKEN)
            if "until" not in request or request["until"].encode() in answer.body:
                return answer
            self.assertLess(time.monotonic(), deadline, answer.body)

    def check_headers(self, request, response, answer):
        if request.get("bare"):
            self.assertNotIn("x-frame-options", answer.headers)
        else:
            common = {name.lower(): value for name, value in self.description.whole["x-common-headers"].items()}
            self.assertEqual({name: answer.headers.get(name) for name in common}, common)
            self.assertIn("date", answer.headers)
            for name in answer.headers.keys() - common.keys() - USUAL_HEADERS:
                self.assertIn(name, {known.lower() for known in response.get("headers", {})})
        for name, header in response.get("headers", {}).items():
            if name.lower() in answer.headers:
                schema = self.description.look_up(header)["schema"]
                jsonschema.validate(answer.headers[name.lower()], schema)
        for name, value in request.get("answer_headers", {}).items():
            self.assertEqual(answer.headers[name], value)

    def check_body(self, name, request, response, answer):
        known = {media_type.split(";")[0]: content for media_type, content in response.get("content", {}).items()}
        if request.get("method") == "HEAD" or not known:
            self.assertEqual(answer.body, b"")
            return
        self.assertIn(answer.media_type, known)
        content = known[answer.media_type]
        if "schema" in content:
            jsonschema.validate(answer.json(), self.description.schema(content["schema"]))
        if name in content.get("examples", {}):
            expected = content["examples"][name]["value"]
            self.assertTrue(alike(expected, answer.json()), f"expected {json.dumps(expected)}, found {answer.body.decode()}")
        if "body" in request:
            self.assertEqual(answer.body.decode(), request["body"])

    def test_each_request_is_answered_as_described(self):
        requests = self.description.requests()
        for name, request in requests.items():
            with self.subTest(name):
                self.setUp()
                for earlier in request.get("before", []):
                    self.assertEqual(self.answer_to(requests[earlier]).status, requests[earlier]["status"])
                if "target" in request:
                    self.assertTrue(matches(request["path"], request["target"]), request["target"])
                answer = self.answer_to(request)
                self.assertEqual(answer.status, request["status"], answer.body)
                self.assertEqual(answer.is_closed, request.get("closes", False))
                response = self.description.response(request["operation"], answer.status)
                self.assertIsNotNone(response, f"{answer.status} is not described")
                self.check_headers(request, response, answer)
                self.check_body(name, request, response, answer)

    def test_is_served_as_it_is(self):
        answer = ask(self.ports["usual"], {"method": "GET", "target": "/openapi.yaml", "headers": {"Authorization": None}}, TOKEN)
        self.assertEqual(answer.body.decode(), self.description.text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
