#!/usr/bin/env python3
"""The program as an operator meets it: start, check, signals, logs, and faults from outside.

Runs the binary named by FLOWSTORE (default build/release/flowstore) in temporary folders.
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from planted import log_path  # noqa: E402

FLOWSTORE = os.environ.get("FLOWSTORE", str(ROOT / "build/release/flowstore"))
TOKEN = "planted-secret-token"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="flowstore-program-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.port = free_port()
        self.config = {
            "host": "127.0.0.1", "port": self.port,
            "driver": {"type": "localfs", "options": {"root": "var/root"}},
            "auth": {"type": "static", "tokens": [{"token": TOKEN, "project": "p"}]},
            "logging": {"level": "info", "http": "info"},
        }
        self.process = None
        self.log_path = log_path(self.home)

    def write_config(self, text=None):
        (self.home / "etc").mkdir(exist_ok=True)
        path = self.home / "etc/flowforge-storage.yml"
        path.write_text(text if text is not None else json.dumps(self.config))
        return path

    def environment(self, **more):
        env = {k: v for k, v in os.environ.items() if k not in ("PORT", "NODE_ENV", "FLOWFORGE_HOME")}
        return {**env, "FLOWFORGE_HOME": str(self.home), **more}

    def start(self, preexec=None, **env):
        self.write_config()
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen([FLOWSTORE], env=self.environment(**env), stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, preexec_fn=preexec)
        self.addCleanup(self.log.close)
        self.addCleanup(self.kill)
        for _ in range(200):
            with contextlib.suppress(OSError):
                if self.ask("GET", "/health")[0] == 200:
                    return
            self.assertIsNone(self.process.poll(), self.logged())
            time.sleep(0.02)
        self.fail("flowstore does not answer: " + self.logged())

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self, number=signal.SIGTERM, patience=10):
        self.process.send_signal(number)
        return self.process.wait(patience)

    def logged(self):
        return self.log_path.read_text(errors="replace")

    def connect(self, timeout=10):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def ask(self, method, path, body=None, headers=None, timeout=10):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {TOKEN}", **(headers or {})})
            response = connection.getresponse()
            return response.status, response.read(), dict(response.getheaders())
        finally:
            connection.close()

    def head(self, path, length):
        return (f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
                f"Content-Length: {length}\r\n\r\n").encode()

    def run_once(self, *words, **env):
        return subprocess.run([FLOWSTORE, *words], env=self.environment(**env), capture_output=True, text=True, timeout=20,
                              stdin=subprocess.DEVNULL)


class CommandLine(Program):
    def test_names_its_version_and_explains_itself(self):
        self.assertRegex(self.run_once("--version").stdout, r"^flowstore \d+\.\d+\.\d+\n$")
        help_text = self.run_once("--help").stdout
        self.assertIn("check", help_text)
        self.assertLessEqual(len(help_text.splitlines()), 40)

    def test_refuses_a_wrong_command_line_with_2(self):
        result = self.run_once("--nonsense")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--nonsense", result.stderr)

    def test_check_names_file_line_and_key_of_every_problem(self):
        path = self.write_config("port: abc\ndriver:\n  type: s4\nbase_url: http://127.0.0.1:1\n")
        result = self.run_once("check")
        self.assertEqual(result.returncode, 1)
        text = result.stdout + result.stderr
        self.assertIn(f"{path}:1: port", text)
        self.assertIn(f"{path}:3: driver.type", text)

    def test_check_tries_what_the_configuration_needs(self):
        self.write_config()
        result = self.run_once("check")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("driver localfs", result.stdout)
        self.assertNotIn(TOKEN, result.stdout + result.stderr)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.port))
            taken.listen()
            self.assertEqual(self.run_once("check").returncode, 1)

    def test_check_says_that_a_platform_is_not_there(self):
        del self.config["auth"]
        self.config["base_url"] = f"http://127.0.0.1:{free_port()}"
        self.write_config()
        result = self.run_once("check")
        self.assertEqual(result.returncode, 1)
        self.assertIn("base_url", result.stdout + result.stderr)

    def test_starts_from_the_variable_of_the_old_servers_tests(self):
        text = json.dumps({**self.config, "driver": {"type": "memory", "options": {}}})
        process = subprocess.Popen([FLOWSTORE], env=self.environment(FF_FS_TEST_CONFIG=text), cwd=self.home,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.process = process
        self.addCleanup(self.kill)
        for _ in range(200):
            with contextlib.suppress(OSError):
                if self.ask("GET", "/health")[0] == 200:
                    break
            time.sleep(0.02)
        self.assertEqual(self.stop(), 0)
        self.assertRegex(process.stdout.read(), r"^\[\d{4}-.*\] INFO: flowstore v")
        process.stdout.close()

    def test_does_not_start_on_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.port))
            taken.listen()
            self.write_config()
            result = self.run_once()
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stderr, rf"cannot listen on 127.0.0.1:{self.port}")


class Stopping(Program):
    def test_ends_with_0_on_each_of_the_four_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2):
            self.start()
            idle = self.connect()
            self.assertEqual(self.stop(number), 0, number)
            idle.close()
        lines = [json.loads(line)["msg"] for line in self.logged().splitlines()]
        self.assertEqual(lines.count("flowstore stopped"), 4)

    def test_finishes_the_upload_that_runs(self):
        self.start()
        with self.connect() as upload:
            upload.sendall(self.head("/v1/files/t/p/a", 10) + b"01234")
            time.sleep(0.2)
            self.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            self.assertIsNone(self.process.poll())
            upload.sendall(b"56789")
            answer = upload.recv(65536)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer)
        self.assertIn(b"Connection: close", answer)
        self.assertEqual(self.process.wait(10), 0)
        self.assertEqual((self.home / "var/root/t/p/a").read_bytes(), b"0123456789")

    def test_waits_no_longer_than_its_grace(self):
        self.config["shutdown"] = {"grace": 1}
        self.start()
        with self.connect() as upload:
            upload.sendall(self.head("/v1/files/t/p/a", 10) + b"01234")
            time.sleep(0.2)
            started = time.monotonic()
            self.assertEqual(self.stop(), 0)
            self.assertLess(time.monotonic() - started, 5)
        self.assertFalse((self.home / "var/root/t/p/a").exists())
        self.assertEqual(list((self.home / "var/root/.flowstore/tmp").iterdir()), [])


class Logs(Program):
    def test_are_json_lines_in_the_old_servers_shape_without_the_token(self):
        self.start()
        self.ask("GET", "/v1/quota/t/p?x=1", headers={"X-Forwarded-For": "192.0.2.7, 10.0.0.1"})
        self.stop()
        self.assertNotIn(TOKEN, self.logged())
        lines = [json.loads(line) for line in self.logged().splitlines()]
        self.assertTrue(all(list(line)[:2] == ["level", "time"] and list(line)[-1] == "msg" for line in lines))
        request = next(line for line in lines if line["msg"] == "incoming request" and "quota" in line["req"]["url"])
        self.assertEqual(request["level"], "INFO")
        self.assertEqual(list(request["req"]), ["method", "url", "host", "remoteAddress", "remotePort"])
        self.assertEqual(request["req"]["url"], "/v1/quota/t/p?x=1")
        self.assertEqual(request["req"]["remoteAddress"], "192.0.2.7")
        done = next(line for line in lines if line["msg"] == "request completed" and line["reqId"] == request["reqId"])
        self.assertEqual(done["res"]["statusCode"], 200)
        self.assertGreater(done["responseTime"], 0)
        self.assertRegex(request["reqId"], r"^req-[0-9a-z]+$")

    def test_show_requests_only_where_asked_to(self):
        self.config["logging"] = {"level": "warn", "http": "warn"}
        if os.geteuid() == 0:
            self.config["user"] = "root"  # who is meant to run it
        self.start()
        self.ask("GET", "/v1/quota/t/p")
        self.stop()
        self.assertEqual(self.logged(), "")


class Faults(Program):
    def test_a_client_that_leaves_in_mid_body_changes_nothing(self):
        self.start()
        self.assertEqual(self.ask("POST", "/v1/files/t/p/a", b"old")[0], 200)
        for length, sent in ((100, b"new"), (5 << 20, b"x" * (1 << 20))):
            with self.connect() as upload:
                upload.sendall(self.head("/v1/files/t/p/a", length) + sent)
                time.sleep(0.1)
        self.assertEqual(self.ask("GET", "/v1/files/t/p/a")[1], b"old")
        tmp = next((self.home / "var/root/.flowstore/tmp").iterdir())
        for _ in range(100):
            if [f.name for f in tmp.iterdir()] == ["lock"]:
                break
            time.sleep(0.05)
        self.assertEqual([f.name for f in tmp.iterdir()], ["lock"])

    def test_a_large_file_passes_through_little_memory(self):
        self.start()
        resident = lambda: int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
        before, size, piece = resident(), 256 << 20, os.urandom(1 << 20)
        with self.connect() as upload:
            upload.sendall(self.head("/v1/files/t/p/large", size))
            for _ in range(size // len(piece)):
                upload.sendall(piece)
            self.assertTrue(upload.recv(65536).startswith(b"HTTP/1.1 200"))
        with self.connect() as reader:
            reader.sendall(f"GET /v1/files/t/p/large HTTP/1.0\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
            got = 0
            while received := len(reader.recv(1 << 20)):
                got += received
        self.assertGreater(got, size)
        self.assertLess(resident() - before, 64 << 20)

    def test_a_file_deleted_while_it_is_read_arrives_whole(self):
        self.start()
        body = os.urandom(32 << 20)
        self.assertEqual(self.ask("POST", "/v1/files/t/p/big", body)[0], 200)
        with self.connect() as reader:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            reader.sendall(f"GET /v1/files/t/p/big HTTP/1.0\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
            got = reader.recv(65536)
            self.assertEqual(self.ask("DELETE", "/v1/files/t/p/big")[0], 200)
            while piece := reader.recv(1 << 20):
                got += piece
        self.assertEqual(got.split(b"\r\n\r\n", 1)[1], body)
        self.assertEqual(self.ask("GET", "/v1/files/t/p/big")[0], 404)

    def test_a_disk_that_is_full_answers_507_and_keeps_what_was(self):
        # A limit on the size of files stands in for a full disk: the write fails in the same place.
        limit = 1 << 20
        self.start(preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertEqual(self.ask("POST", "/v1/files/t/p/a", b"old")[0], 200)
        status, body, _ = self.ask("POST", "/v1/files/t/p/a", b"x" * (2 << 20))
        self.assertEqual(status, 507)
        self.assertNotIn(str(self.home).encode(), body)
        self.assertEqual(json.loads(body)["code"], "ENOSPC")
        status, body, _ = self.ask("POST", "/v1/files/t/p/a", b"x" * (2 << 20), {"FF_MODE": "append"})
        self.assertEqual(status, 507)
        self.assertEqual(self.ask("GET", "/v1/files/t/p/a")[1], b"old")
        self.assertEqual(self.ask("GET", "/v1/quota/t/p")[1], b'{"used":3}')
        self.assertEqual(self.ask("POST", "/v1/files/t/p/a", b"new")[0], 200)

    def test_a_killed_server_leaves_no_temporary_file_behind_its_next_start(self):
        self.start()
        with self.connect() as upload:
            upload.sendall(self.head("/v1/files/t/p/a", 5 << 20) + b"x" * (1 << 20))
            time.sleep(0.3)
            tmp = self.home / "var/root/.flowstore/tmp"
            self.assertGreater(len(list(next(tmp.iterdir()).iterdir())), 1)
            self.process.kill()
            self.process.wait()
        self.start()
        self.assertEqual(len(list(tmp.iterdir())), 1)
        self.assertEqual([f.name for f in next(tmp.iterdir()).iterdir()], ["lock"])
        self.assertEqual(self.ask("GET", "/v1/files/t/p/a")[0], 404)

    def test_what_was_answered_survives_a_kill(self):
        self.start()
        answered = {}

        def write(thread):
            for i in range(1000):
                name, body = f"f{thread}-{i % 7}", f"{thread}-{i}".encode() * 50
                with contextlib.suppress(OSError, http.client.HTTPException):
                    if self.ask("POST", f"/v1/files/t/p/{name}", body)[0] == 200:
                        answered[name] = [body]
                        continue
                # Not answered: it may have happened or not.
                answered.setdefault(name, [None]).append(body)
                return

        threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        [thread.start() for thread in threads]
        time.sleep(0.7)
        self.process.kill()
        self.process.wait()
        [thread.join() for thread in threads]
        self.assertGreater(len(answered), 4)
        self.start()
        for name, allowed in answered.items():
            status, body, _ = self.ask("GET", f"/v1/files/t/p/{name}")
            self.assertIn(body if status == 200 else None, allowed, name)

    def test_data_of_the_old_server_is_read_as_it_lies(self):
        folder = self.home / "var/root/team/p/sub"
        folder.mkdir(parents=True)
        (folder / "old file").write_bytes(b"from before")
        (folder.parent / "empty folder").mkdir()
        self.start()
        self.assertEqual(self.ask("GET", "/v1/files/team/p/sub/old%20file")[1], b"from before")
        self.assertEqual(self.ask("GET", "/v1/quota/team/p")[1], b'{"used":11}')
        self.assertEqual(self.ask("POST", "/v1/files/team/p/sub/old%20file", b"+", {"FF_MODE": "append"})[0], 200)
        self.stop()
        self.assertEqual((folder / "old file").read_bytes(), b"from before+")

    def test_links_lead_nowhere(self):
        secret = self.home / "secret"
        secret.write_text("s3cr3t")
        project = self.home / "var/root/t/p"
        project.mkdir(parents=True)
        (project / "link").symlink_to(secret)
        (project / "folder").symlink_to(self.home)
        self.start()
        for path in ("link", "folder/secret"):
            status, body, _ = self.ask("GET", f"/v1/files/t/p/{path}")
            self.assertGreaterEqual(status, 400)
            self.assertNotIn(b"s3cr3t", body)
            self.assertNotIn(str(self.home).encode(), body)
        self.assertEqual(self.ask("POST", "/v1/files/t/p/folder/secret", b"x")[0], 400)
        self.assertEqual(self.ask("POST", "/v1/files/t/p/link", b"x", {"FF_MODE": "append"})[0], 400)
        self.assertEqual(self.ask("POST", "/v1/files/.flowstore/p/x", b"x")[0], 400)
        self.assertEqual(secret.read_text(), "s3cr3t")


class Context(Program):
    def setUp(self):
        super().setUp()
        self.config["context"] = {"type": "db", "options": {"type": "sqlite"}}

    def set(self, value, scope="global", **options):
        body = json.dumps([{"key": "k", "value": value}])
        return self.ask("POST", f"/v1/context/p/{scope}", body, {"Content-Type": "application/json"}, **options)

    def get(self, scope="global"):
        return json.loads(self.ask("GET", f"/v1/context/p/{scope}?key=k")[1])

    def test_lies_in_var_and_survives_a_kill(self):
        self.start()
        self.assertIn(f"flowstore Context connected to sqlite on {self.home}/var/context.db", self.logged())
        self.assertEqual(self.set("v")[:2], (200, b"{}"))
        self.kill()
        self.start()
        self.assertEqual(self.get(), [{"key": "k", "value": "v"}])
        self.assertEqual(self.stop(), 0)

    def test_in_memory_goes_with_the_process(self):
        self.config["context"]["options"]["storage"] = ":memory:"
        self.start()
        self.assertIn("flowstore Context connected to memory on :memory:", self.logged())
        self.assertEqual(self.set("v")[0], 200)
        self.assertEqual(self.stop(), 0)
        self.start()
        self.assertEqual(self.get(), [])

    def test_is_tried_by_check(self):
        self.write_config()
        result = self.run_once("check")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("ok    context sqlite:", result.stdout)
        self.config["context"]["options"] = {"type": "postgres", "host": "127.0.0.1", "port": free_port(),
                                             "password": "hidden-password"}
        self.write_config()
        result = self.run_once("check")
        self.assertEqual(result.returncode, 1)
        self.assertIn("FAIL  context postgres:", result.stdout)
        self.assertNotIn("hidden-password", result.stdout + result.stderr)

    def test_stops_the_start_where_the_file_is_no_database(self):
        (self.home / "var").mkdir()
        (self.home / "var/context.db").write_text("no database " * 1000)
        self.write_config()
        result = self.run_once()
        self.assertEqual(result.returncode, 1)
        self.assertIn("context.db", result.stderr)

    def test_waits_for_a_database_that_is_down(self):
        self.config["context"]["options"] = {"type": "postgres", "host": "127.0.0.1", "port": free_port(),
                                             "password": "hidden-password"}
        self.start()
        self.assertIn("flowstore Context connected to postgres on 127.0.0.1", self.logged())
        status, body, headers = self.set("v")
        self.assertEqual(status, 503, body)
        self.assertIn("retry-after", {name.lower() for name in headers})
        self.assertEqual(self.ask("GET", "/health")[0], 200)
        self.assertEqual(self.ask("POST", "/v1/files/t/p/a", b"x")[0], 200)
        self.assertEqual(self.stop(), 0)
        self.assertNotIn("hidden-password", self.logged())

    def test_ends_in_time_although_the_database_says_nothing(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen(64)
            self.config["shutdown"] = {"grace": 0}
            self.config["context"]["options"] = {"type": "postgres", "host": "127.0.0.1",
                                                 "port": silent.getsockname()[1]}
            self.start()
            clients = [self.connect() for _ in range(8)]
            for client in clients:
                client.sendall(self.head("/v1/context/p/s", 2).replace(b"\r\n\r\n", b"\r\nContent-Type: application/json"
                                                                                  b"\r\n\r\n", 1) + b"{}")
                client.sendall(f"GET /v1/context/p/s/keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
                               .encode())
            started = time.monotonic()
            self.assertEqual(self.stop(), 0)
            self.assertLess(time.monotonic() - started, 8)
            for client in clients:
                client.close()

    def test_ends_in_time_while_pages_are_being_sent(self):
        self.config["shutdown"] = {"grace": 0}
        self.start()
        for number in range(20):
            self.assertEqual(self.set("x" * 1_000_000, f"s{number}")[0], 200)
        clients = [self.connect() for _ in range(4)]
        for client in clients:
            client.sendall(f"GET /v1/context/p/cache HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
            self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 200"))
        self.assertEqual(self.stop(), 0)
        for client in clients:
            client.close()

    def test_sends_a_large_page_with_little_memory(self):
        self.start()
        for number in range(60):
            self.assertEqual(self.set("x" * 2_000_000, f"s{number}")[0], 200)
        before = self.resident()
        status, body, headers = self.ask("GET", "/v1/context/p/cache?limit=100", timeout=60)
        self.assertEqual(status, 200)
        self.assertGreater(len(body), 120_000_000)
        self.assertEqual(json.loads(body)["count"], 60)
        self.assertNotIn("content-length", {name.lower() for name in headers})
        # A few rows at a time; the sanitizers keep what was freed for a while.
        self.assertLess(self.peak() - before, 96 << 20)

    def resident(self):
        return self.memory("VmRSS")

    def peak(self):
        return self.memory("VmHWM")

    def memory(self, name):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1]) << 10


if __name__ == "__main__":
    unittest.main(verbosity=2)
