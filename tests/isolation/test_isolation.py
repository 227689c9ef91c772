#!/usr/bin/env python3
"""Hostile requests against the real program: none may reach another project, none may tell where things lie.

ISOLATION_TRIES requests in all, from ISOLATION_SEED on; a million is a long run.
"""
import collections
import concurrent.futures
import http.server
import json
import os
import pathlib
import random
import re
import socket
import sqlite3
import sys
import threading
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE)]
from flowstore import Flowstore, run_all  # noqa: E402
from hostile import ATTACKER, KNOWN, MARKER, TEAM, VICTIMS, Hostile, token_of  # noqa: E402
from planted import secrets_in  # noqa: E402

SEED = int(os.environ.get("ISOLATION_SEED", random.randrange(1 << 32)))
TRIES = int(os.environ.get("ISOLATION_TRIES", 60_000))
CLIENTS = 3
BURST = 100  # requests of one connection, sent before the first answer is read
ROUND = 5000  # requests of each client between two looks at the victims
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def setUpModule():
    global run
    run = run_all.Run()
    unittest.addModuleCleanup(run.close)


class House(Flowstore):
    """Every project under one roof, and what it holds read past flowstore."""

    def __init__(self, folder, driver, context):
        tokens = [{"token": token_of(team, project), "project": project, "team": team} for team, project in VICTIMS]
        tokens.append({"token": token_of(TEAM, ATTACKER), "project": ATTACKER, "team": TEAM})
        self.root = pathlib.Path(folder) / "files"
        self.database = pathlib.Path(folder) / "context.db"
        super().__init__(folder, driver, context=context, auth={"type": "static", "tokens": tokens})
        self.config["driver"].setdefault("quota", 1 << 40)

    def as_tenant(self, team, project, method, target, body=None):
        answer = self.ask(method, target, body, {"Authorization": f"Bearer {token_of(team, project)}",
                                                 "Content-Type": "application/json"})
        if answer.status != 200:
            raise AssertionError(f"{method} {target}: {answer}")
        return answer.body

    def move_in(self):
        self.root.parent.mkdir(exist_ok=True)
        (self.root.parent / "beside.txt").write_bytes(MARKER)
        marker = MARKER.decode()
        for team, project in VICTIMS:
            for name in (KNOWN, f"dir/{KNOWN}", f"{marker}.txt"):
                self.as_tenant(team, project, "POST", f"/v1/files/{team}/{project}/{name}", f"{marker} in {name}")
            for scope in ("f1", "global", marker):
                self.as_tenant(team, project, "POST", f"/v1/context/{project}/{scope}",
                               json.dumps([{"key": "k", "value": marker}]))

    def clear_attacker(self):
        self.ask("DELETE", f"/v1/files/{TEAM}/{ATTACKER}/?recursive", headers={
            "Authorization": f"Bearer {token_of(TEAM, ATTACKER)}"})
        self.as_tenant(TEAM, ATTACKER, "POST", f"/v1/context/{ATTACKER}/clean", "[]")

    def told(self):
        """What each victim is told of itself."""
        found = {}
        for team, project in VICTIMS:
            for target in (f"/v1/quota/{team}/{project}", f"/v1/files/{team}/{project}/?list&recursive",
                           f"/v1/files/{team}/{project}/{KNOWN}", f"/v1/context/{project}/cache"):
                found[f"{team} {target}"] = self.as_tenant(team, project, "GET", target)
        return found

    def others(self):
        """All that is not the attacker's."""
        return {**self.told(), **self.stored_by_others()}

    def stored_by_others(self):
        return {}


class LocalHouse(House):
    def __init__(self, folder):
        super().__init__(folder, {"type": "localfs", "options": {"root": str(folder / "files"), "durability": "relaxed"}},
                         {"type": "db", "options": {"type": "sqlite", "storage": str(folder / "context.db")}})

    def stored_by_others(self):
        found = {}
        for folder, folders, names in os.walk(self.root):
            place = pathlib.Path(folder).relative_to(self.root)
            if len(place.parts) == 1 and self.may_have_files_in(place.name) and ATTACKER in folders:
                folders.remove(ATTACKER)
            if folders or names:  # else the attacker's may have been the only folder of a team
                found[folder] = () if folder == str(self.root) else tuple(sorted(folders))
            for path in (pathlib.Path(folder) / name for name in names):
                status = path.lstat()
                found[str(path)] = (path.read_bytes(), status.st_ino, status.st_mtime_ns, status.st_mode)
        found["beside"] = {path.name: path.is_file() and path.stat().st_mtime_ns for path in self.root.parent.iterdir()
                           if not path.name.startswith("context.db") and path != self.log}
        with sqlite3.connect(self.database) as rows:
            for row in rows.execute("SELECT * FROM Contexts WHERE project <> ?", (ATTACKER,)):
                found[f"row {row[0]}"] = row
        rows.close()
        return found


    def may_have_files_in(self, team):
        return team == TEAM


class PlatformHouse(LocalHouse):
    """Asks a platform whose tokens are good for one project each, under any team."""

    def __init__(self, folder):
        super().__init__(folder)
        self.platform = PlatformServer(("127.0.0.1", 0), Platform)
        threading.Thread(target=self.platform.serve_forever, daemon=True).start()
        self.config["base_url"] = f"http://127.0.0.1:{self.platform.server_address[1]}"
        self.config["auth"] = {"timeout": "30s"}  # the machine may be busy

    def may_have_files_in(self, team):
        return True

    def stop(self):
        super().stop()
        self.platform.shutdown()
        self.platform.server_close()


class PlatformServer(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # with the usual 5 a busy machine loses connections


class Platform(http.server.BaseHTTPRequestHandler):
    """Reads the id as Node.js does: one segment, decoded once."""

    protocol_version = "HTTP/1.1"
    known = {(project, f"Bearer {token_of(team, project)}") for team, project in [*VICTIMS, (TEAM, ATTACKER)]}

    def do_GET(self):
        folder, _, project = self.path.rpartition("/")
        is_known = (urllib.parse.unquote(project), self.headers["Authorization"]) in self.known
        self.send_response(200 if folder == "/account/check/project" and is_known else 401)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


class MemoryHouse(House):
    def __init__(self, folder):
        super().__init__(folder, {"type": "memory"},
                         {"type": "db", "options": {"type": "sqlite", "storage": ":memory:"}})


class Client:
    """Sends bursts on connections of its own, and looks at every byte that comes back."""

    def __init__(self, house, seed):
        self.house = house
        self.seed = seed
        self.hostile = Hostile(seed)
        self.statuses = collections.Counter()
        self.sent = 0
        # The attacker knows none of these, and makes nothing fail.
        self.forbidden = re.compile(b"|".join([re.escape(MARKER), re.escape(str(house.home).encode()),
                                               rb"\.flowstore/tmp/\d", rb"SELECT |SQLITE_", rb"Contexts",
                                               rb'"statusCode":500,"(?!code":"EISDIR)']))

    def attack(self, tries):
        while tries > 0:
            requests = [self.hostile.request() for _ in range(BURST - 1)] + [self.hostile.malformed()]
            self.sent += len(requests)
            tries -= len(requests)
            self.look_at(self.burst(requests), requests)

    def burst(self, requests):
        """The answers, up to the end of the connection."""
        with socket.create_connection(("127.0.0.1", self.house.port), timeout=60) as connection:
            try:
                connection.sendall(b"".join(requests))
                connection.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # a request that was none ended the connection early; its answer is there all the same
            answers = []
            while True:
                try:
                    piece = connection.recv(1 << 18)
                except ConnectionResetError:
                    piece = b""
                if not piece:
                    return b"".join(answers)
                answers.append(piece)

    def look_at(self, answers, requests):
        self.statuses.update(int(status) for status in STATUS.findall(answers))
        found = self.forbidden.search(answers)
        if found or secrets_in(answers):
            what = answers[max(0, found.start() - 300):found.end() + 300] if found else secrets_in(answers)
            raise AssertionError(f"seed {SEED}, client {self.seed}, of the {BURST} up to {self.sent}: {what!r}\n"
                                 + "\n".join(repr(request) for request in requests))


class Isolation(unittest.TestCase):
    def begin(self, kind):
        folder = run.tmp / self.id().rpartition(".")[2]
        folder.mkdir()
        self.house = kind(folder).start()
        self.addCleanup(self.house.stop)
        self.house.move_in()
        return self.house

    def attack(self, kind, tries):
        house = self.begin(kind)
        before = house.others()
        clients = [Client(house, SEED + number) for number in range(CLIENTS)]
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            while (left := tries - sum(client.sent for client in clients)) > 0:
                many = min(ROUND, left // CLIENTS + 1)
                for done in [pool.submit(client.attack, many) for client in clients]:
                    done.result()
                house.clear_attacker()
                self.expect_unchanged(before, house.others())
        statuses = sum((client.statuses for client in clients), collections.Counter())
        print(f"seed {SEED}: {sum(client.sent for client in clients)} sent, answered: "
              + ", ".join(f"{count}x{status}" for status, count in sorted(statuses.items())))
        # Requests that were all refused at the door, or never read, would have tried nothing.
        self.assertGreater(sum(statuses.values()), tries * 0.9)
        self.assertGreater(statuses[200], tries / 20)
        # No request makes a store fail.
        self.assertEqual(sum(count for status, count in statuses.items() if status > 500), 0, statuses)

    def expect_unchanged(self, before, after):
        changed = {name: (before.get(name), after.get(name)) for name in {*before, *after} if before.get(name) != after.get(name)}
        self.assertEqual(changed, {}, f"seed {SEED}")

    def test_no_request_reaches_another_project_on_local_files_and_sqlite(self):
        self.attack(LocalHouse, TRIES * 5 // 10)

    def test_no_request_reaches_another_project_in_memory(self):
        self.attack(MemoryHouse, TRIES * 4 // 10)

    def test_no_request_reaches_another_project_when_the_platform_knows_the_tokens(self):
        self.attack(PlatformHouse, TRIES // 10)

    def test_what_the_tests_look_for_is_there(self):
        house = self.begin(LocalHouse)
        client = Client(house, SEED)
        team, project = VICTIMS[0]
        for target in (f"/v1/files/{team}/{project}/{KNOWN}", f"/v1/files/{team}/{project}/?list", f"/v1/context/{project}/cache"):
            request = f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token_of(team, project)}\r\n\r\n".encode()
            with self.assertRaisesRegex(AssertionError, MARKER.decode()):
                client.look_at(client.burst([request]), [request])
        before = house.others()
        house.as_tenant(team, project, "POST", f"/v1/files/{team}/{project}/{KNOWN}", "x")
        with self.assertRaises(AssertionError):
            self.expect_unchanged(before, house.others())


if __name__ == "__main__":
    unittest.main()
