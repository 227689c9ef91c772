#!/usr/bin/env python3
"""`flowstore migrate`: between folders, a real S3 store and trees; between SQLite and a real PostgreSQL."""
import json
import os
import pathlib
import random
import signal
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from commands import noise  # noqa: E402
from remote import RemoteTest, begin  # noqa: E402

MANY = 400  # files, so that something can happen between two of them
setUpModule = begin


class Migrate(RemoteTest):
    def filled(self, count=60):
        """A server with files and context of two projects, stopped."""
        server = self.server_with("p", "q").start()
        source = random.Random(11)
        for number in range(count):
            self.put(server, f"t/p/dir{number % 3}/f{number}", source.randbytes(number * 701))
        self.put(server, "t/p/%C3%A9%20x", b"odd name")
        self.put(server, "t/q/empty", b"")
        self.put(server, "t/q/large", source.randbytes(6 << 20))
        for number in range(12):
            self.set_context(server, "p", f"f{number}", {"v": "é" * number, "n": [number, {"x": None}]})
        self.set_context(server, "q", "global", {"a": 1})
        server.stop()
        return server

    # ---- files
    def test_files_go_to_s3_and_back(self):
        there = self.filled()
        bucket, to = self.s3_config(there, "back")
        found = self.succeed("migrate", "--to", to, "--dry-run", "--json", home=there.home).json
        self.assertEqual((found["files"], found["scopes"]), (63, 0))  # context is in the same place
        self.assertEqual(self.objects(bucket), {})
        found = self.succeed("migrate", "--to", to, "--json", home=there.home).json
        self.assertEqual((found["ok"], found["files"], found["filesSame"]), (True, 63, 0))
        self.assertEqual(self.objects(bucket), self.tree(there.root))
        again = self.succeed("migrate", "--to", to, "--json", home=there.home).json
        self.assertEqual((again["files"], again["filesSame"]), (0, 63))
        other = self.config_file("other.yml", {**there.config, "driver": {"type": "localfs", "options": {"root": str(self.folder / "other")}}})
        self.succeed("migrate", "--from", to, "--to", other, home=there.home)
        self.assertEqual(self.tree(self.folder / "other"), self.tree(there.root))

    def test_one_project_alone(self):
        there = self.filled(5)
        bucket, to = self.s3_config(there, "one")
        self.succeed("migrate", "--to", to, "--project", "t/q", home=there.home)
        self.assertEqual(sorted(self.objects(bucket)), ["t/q/empty", "t/q/large"])

    def test_a_tree_goes_in_and_out(self):
        server = self.server_with("p")
        storage = self.folder / "storage"
        (storage / "deep/er").mkdir(parents=True)
        (storage / "a.csv").write_bytes(b"1,2\n")
        (storage / "deep/er/b").write_bytes(b"x" * 300_000)
        (storage / "link").symlink_to("/etc/passwd")
        os.mkfifo(storage / "fifo")
        before = sorted(storage.rglob("*"))
        self.succeed("migrate", "--from-tree", storage, "--project", "t/p", home=server.home)
        self.assertEqual(self.tree(server.root), {"t/p/a.csv": b"1,2\n", "t/p/deep/er/b": b"x" * 300_000})
        self.assertEqual(sorted(storage.rglob("*")), before)  # nothing of ours is left in it
        out = self.folder / "out"
        out.mkdir()
        self.succeed("migrate", "--to-tree", out, "--project", "t/p", home=server.home)
        self.assertEqual(self.tree(out), {"a.csv": b"1,2\n", "deep/er/b": b"x" * 300_000})
        outcome = self.run_command("migrate", "--from-tree", self.folder / "nowhere", "--project", "t/p", home=server.home)
        self.assertEqual(outcome.code, 1)
        self.assertIn("nowhere: No such file or directory; name the folder", outcome.err)

    def test_a_link_in_the_target_tree_leads_nowhere(self):
        server = self.filled(3)
        out, secret = self.folder / "out", self.folder / "secret"
        out.mkdir()
        secret.mkdir()
        (out / "dir1").symlink_to(secret)
        (out / "large").symlink_to(secret / "victim")
        outcome = self.run_command("migrate", "--to-tree", out, "--project", "t/p", home=server.home)
        self.assertEqual(outcome.code, 1)
        self.assertIn("could not be copied: t/p/dir1/f1", outcome.err)
        self.assertEqual(list(secret.iterdir()), [])
        self.assertEqual((out / "dir2/f2").stat().st_size, 1402)  # the others are there

    def test_what_was_changed_in_the_target_afterwards_stays(self):
        there = self.filled(5)
        bucket, to = self.s3_config(there, "newer")
        self.succeed("migrate", "--to", to, home=there.home)
        time.sleep(1.1)  # S3 knows seconds only
        bucket.put("t/p/dir1/f1", b"written by the server that works on the target")
        bucket.put("t/p/only-here", b"1")
        outcome = self.run_command("migrate", "--to", to, "--json", home=there.home)
        self.assertEqual(outcome.code, 1)
        self.assertEqual(outcome.json["newer"], {"count": 1, "first": ["t/p/dir1/f1"]})
        self.assertEqual(outcome.json["extra"], {"count": 1, "first": ["t/p/only-here"]})
        self.assertEqual(bucket.get("t/p/dir1/f1"), b"written by the server that works on the target")
        self.assertEqual(bucket.get("t/p/only-here"), b"1")

    def test_what_was_damaged_in_the_target_is_found(self):
        there = self.filled(5)
        bucket, to = self.s3_config(there, "damaged")
        path = there.root / "t/p/dir1/f4"
        os.utime(path, (time.time() - 60, time.time() - 60))  # S3 knows seconds only
        self.succeed("migrate", "--to", to, home=there.home)
        good = bucket.get("t/p/dir1/f4")
        bucket.put("t/p/dir1/f4", bytes([good[0] ^ 1]) + good[1:])
        outcome = self.run_command("migrate", "--to", to, home=there.home)
        self.assertEqual(outcome.code, 1)
        self.assertIn("is newer in the target, and was left alone: t/p/dir1/f4", outcome.err)
        os.utime(path, (time.time() + 60, time.time() + 60))  # the source was written later: it wins
        self.succeed("migrate", "--to", to, home=there.home)
        self.assertEqual(bucket.get("t/p/dir1/f4"), good)

    # ---- context
    def test_context_goes_to_postgresql_and_back(self):
        there = self.filled(3)
        before = self.contexts(there, "p", "q")
        to = self.config_file("pg.yml", {**there.config, "context": self.postgres_context("back")})
        found = self.succeed("migrate", "--to", to, "--dry-run", "--json", home=there.home).json
        self.assertEqual((found["files"], found["scopes"]), (0, 13))
        found = self.succeed("migrate", "--to", to, "--json", home=there.home).json
        self.assertEqual((found["scopes"], found["scopesSame"]), (13, 0))
        found = self.succeed("migrate", "--to", to, "--json", home=there.home).json
        self.assertEqual((found["scopes"], found["scopesSame"]), (0, 13))
        usage = self.succeed("usage", "--json", "--config", to).json["total"]
        self.assertEqual(usage["contextCharacters"], self.succeed("usage", "--json", home=there.home).json["total"]["contextCharacters"])
        back = self.config_file("back.yml", {**there.config, "context": {"type": "sequelize", "options": {
            "type": "sqlite", "storage": str(self.folder / "back.db")}}})
        self.succeed("migrate", "--from", to, "--to", back, home=there.home)
        self.assertEqual(list(self.contexts_in(to, there, "p")["p"].items()), list(before["p"].items()))  # in the same order
        self.assertEqual(self.contexts_in(back, there, "p", "q"), before)

    def test_everything_at_once(self):
        there = self.filled(10)
        before = self.contexts(there, "p", "q")
        bucket, to = self.s3_config(there, "all", context=self.postgres_context("all"))
        found = self.succeed("migrate", "--to", to, "--json", home=there.home).json
        self.assertEqual((found["files"], found["scopes"]), (13, 13))
        self.assertEqual(self.objects(bucket), self.tree(there.root))
        self.assertEqual(self.contexts_in(to, there, "p", "q"), before)

    # ---- what cannot be done
    def test_the_same_place_twice_is_refused(self):
        there = self.filled(1)
        root = self.folder / "linked"
        root.symlink_to(there.root)
        same = self.config_file("same.yml", {**there.config, "driver": {"type": "localfs", "options": {"root": str(root)}}})
        outcome = self.run_command("migrate", "--to", same, home=there.home)
        self.assertEqual(outcome.code, 1)
        self.assertIn("keep everything in the same place", outcome.err)

    def test_context_needs_a_place(self):
        there = self.filled(1)
        _, to = self.s3_config(there, "nocontext")
        to.write_text(json.dumps({key: value for key, value in json.loads(to.read_text()).items() if key != "context"}))
        outcome = self.run_command("migrate", "--to", to, home=there.home)
        self.assertEqual(outcome.code, 1)
        self.assertIn(f"{to}: context.type: is not set", outcome.err)

    def test_a_store_that_is_down_is_an_error(self):
        there = self.filled(1)
        bucket, to = self.s3_config(there, "down")
        config = json.loads(to.read_text())
        config["driver"]["options"]["endpoint"] = "http://127.0.0.1:1"
        to.write_text(json.dumps(config))
        outcome = self.run_command("migrate", "--to", to, "--json", home=there.home)
        self.assertEqual(outcome.code, 1, outcome)
        self.assertFalse(outcome.json["ok"])
        self.assertNotIn(bucket.secret, outcome.err)

    # ---- interruptions
    def test_it_goes_on_where_it_was_interrupted_or_killed(self):
        there = self.server_with("p")
        (there.root / "t/p").mkdir(parents=True)
        for name, body in noise(MANY, 60_000).items():
            (there.root / name).write_bytes(body)
        bucket, to = self.s3_config(there, "interrupted")
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)):
            before = len(bucket.objects("t/"))
            process = self.begin("migrate", "--to", to, home=there.home)
            while len(bucket.objects("t/")) < before + 20:
                self.assertIsNone(process.poll())
            self.assertEqual(self.interrupted(process, number)[0], code)
            tree, written = self.tree(there.root), self.objects(bucket)
            self.assertLess(len(written), MANY)
            for key, body in written.items():
                self.assertEqual(body, tree[key], key)
        found = self.succeed("migrate", "--to", to, "--json", home=there.home).json
        self.assertEqual((found["files"], found["filesSame"]), (MANY - len(written), len(written)))
        self.assertEqual(self.objects(bucket), self.tree(there.root))

    # ---- while serving
    def test_the_source_may_be_written_meanwhile_and_a_last_run_brings_it_all(self):
        there = self.filled(40)
        bucket, to = self.s3_config(there, "serving", context=self.postgres_context("serving"))
        there.start()
        stop, failed = threading.Event(), []

        def write():
            count = 0
            while not stop.is_set():
                count += 1
                try:
                    self.put(there, f"t/p/dir{count % 3}/f{count % 60}", bytes([97 + count % 26]) * (count * 37 % 9000 + 1))
                    self.set_context(there, "p", f"f{count % 12}", {"v": "x" * (count % 500)})
                except AssertionError as error:
                    failed.append(error)
                    return

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(3):
                outcome = self.run_command("migrate", "--to", to, "--json", home=there.home)
                self.assertEqual(outcome.json["failed"]["count"], 0, outcome)
        finally:
            stop.set()
            writer.join()
        self.assertEqual(failed, [])
        time.sleep(1.1)  # S3 knows seconds only: what is written in the second of its copy is newer there
        for path in there.root.rglob("f*"):
            if path.is_file():
                os.utime(path)
        before = {project: self.context(there, project) for project in ("p", "q")}
        there.stop()
        self.succeed("migrate", "--to", to, home=there.home)
        self.assertEqual(self.objects(bucket), self.tree(there.root))
        self.assertEqual(self.contexts_in(to, there, "p", "q"), before)


if __name__ == "__main__":
    unittest.main()
