#!/usr/bin/env python3
"""`flowstore export`, `import`, `usage` and `gc` with files on a real S3 store and context in a real PostgreSQL."""
import json
import pathlib
import random
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from commands import noise  # noqa: E402
from remote import RemoteTest, begin  # noqa: E402

PROJECTS = ("p", "q", "r")
MANY = 150  # files, so that something can happen between two of them
MIB = 1 << 20
setUpModule = begin


class Remote(RemoteTest):
    def remote_server(self, name, *projects):
        """One on a bucket and a database of its own, both empty."""
        context = self.postgres_context(name)
        server = self.server_with(*(projects or PROJECTS), name=name, bucket=self.bucket(name), context=context)
        server.database = context
        return server

    def filled(self, name):
        """With files and context of three projects, stopped."""
        server = self.remote_server(name).start()
        source = random.Random(5)
        for number in range(20):
            self.put(server, f"t/p/dir{number % 3}/f{number}", source.randbytes(number * 997))
        self.put(server, "t/p/%C3%A9%0A%5C", b"odd name")
        self.put(server, "t/p/empty", b"")
        self.put(server, "u/q/large", source.randbytes(20 * MIB))  # several parts
        for number in range(12):
            self.set_context(server, "p", f"f{number}", {"v": "é" * number, "n": [number, {"x": None}]})
        self.set_context(server, "p", "n%2F1:f1", {"x": 1})
        self.set_context(server, "q", "global", {"long": "x" * 300_000})
        self.set_context(server, "r", "f1", {"y": 2})
        server.stop()
        return server

    def rows(self, server, where="true"):
        """All context, byte for byte."""
        return self.sql(server.database, f'SELECT project, scope, "values" FROM "Contexts" WHERE {where} ORDER BY 1, 2')

    def sums(self, archive):
        """What an archive says of its entries."""
        tar = subprocess.run(["tar", "--zstd", "-xOf", archive, "SHA256SUMS"], capture_output=True, check=True).stdout
        return sorted(tar.splitlines())

    def archive(self, server, name, *words):
        path = self.folder / name
        self.succeed("export", path, *words, home=server.home)
        return path

    def same_as(self, back, there):
        self.assertEqual(self.objects(back.bucket), self.objects(there.bucket))
        self.assertEqual(self.rows(back), self.rows(there))

    # ---- export and import
    def test_everything_goes_out_and_comes_in(self):
        there, back = self.filled("out"), self.remote_server("in")
        path = self.archive(there, "all.tar.zst")
        found = self.succeed("import", path, "--dry-run", "--json", home=back.home).json
        self.assertEqual((found["files"], found["scopes"], found["same"]), (23, 15, 0))
        self.assertEqual(self.objects(back.bucket), {})
        self.assertEqual(self.rows(back), "")
        self.succeed("import", path, home=back.home)
        self.same_as(back, there)
        self.assertEqual(self.contexts(back, *PROJECTS), self.contexts(there, *PROJECTS))
        self.assertEqual(self.sums(self.archive(back, "again.tar.zst")), self.sums(path))
        found = self.succeed("import", path, "--json", home=back.home).json
        self.assertEqual((found["files"], found["scopes"], found["same"]), (0, 0, 38))
        self.assertEqual(back.bucket.uploads(), [])

    def test_one_project_alone(self):
        there, back = self.filled("one"), self.remote_server("alone")
        path = self.archive(there, "q.tar.zst", "--project", "u/q")
        self.succeed("import", path, home=back.home)
        self.assertEqual(self.objects(back.bucket), {"u/q/large": there.bucket.get("u/q/large")})
        self.assertEqual(self.rows(back), self.rows(there, "project = 'q'"))
        self.succeed("import", self.archive(there, "all.tar.zst"), "--project", "t/p", home=back.home)
        self.assertEqual(self.objects(back.bucket), self.objects(there.bucket))
        self.assertEqual(self.rows(back), self.rows(there, "project IN ('p', 'q')"))

    def test_a_conflict_changes_nothing_and_the_archive_may_win(self):
        there = self.filled("conflict")
        path, before = self.archive(there, "all.tar.zst"), self.rows(there)
        files = self.objects(there.bucket)
        there.bucket.put("t/p/dir1/f1", b"other")
        self.sql(there.database, """UPDATE "Contexts" SET "values" = '{"y": 3}' WHERE project = 'r'""")
        changed = self.objects(there.bucket), self.rows(there)
        outcome = self.run_command("import", path, home=there.home)
        self.assertEqual(outcome.code, 1)
        self.assertIn("is there with another content: files/t/p/dir1/f1\n", outcome.err)
        self.assertIn("is there with another content: context/r/f1.flow.json\n", outcome.err)
        self.assertEqual((self.objects(there.bucket), self.rows(there)), changed)
        self.succeed("import", path, "--replace", home=there.home)
        self.assertEqual((self.objects(there.bucket), self.rows(there)), (files, before))

    def test_import_while_a_server_runs_is_seen_by_it(self):
        there = self.filled("seen")
        path = self.archive(there, "all.tar.zst")
        back = self.remote_server("running").start()
        self.put(back, "t/p/own", b"1")
        self.succeed("import", path, home=back.home)
        self.assertEqual(self.get(back, "u/q/large"), there.bucket.get("u/q/large"))
        self.assertEqual(self.context(back, "r"), {"f1": {"y": 2}})
        self.assertEqual(self.get(back, "t/p/own"), b"1")

    # ---- interruptions
    def large(self, name):
        server = self.remote_server(name, "p")
        for key, body in noise(MANY, 50_000).items():
            server.bucket.put(key, body)
        server.start()
        for number in range(30):
            self.set_context(server, "p", f"f{number}", {"n": number})
        server.stop()
        return server

    def test_an_interrupted_export_leaves_nothing(self):
        there = self.large("leaving")
        path = self.folder / "large.tar.zst"
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.begin("export", path, home=there.home)
            while not list(self.folder.glob("large.tar.zst.part-*")):
                self.assertIsNone(process.poll())
            self.assertEqual(self.interrupted(process, number), (130, "flowstore: interrupted\n"))
            self.assertEqual(list(self.folder.glob("large*")), [])
        self.assertEqual(len(self.sums(self.archive(there, "large.tar.zst"))), MANY + 31)

    def test_an_import_goes_on_where_it_was_interrupted_or_killed(self):
        there, back = self.large("whole"), self.remote_server("parts", "p")
        path = self.archive(there, "large.tar.zst")
        for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
            before = len(back.bucket.objects("t/"))
            process = self.begin("import", path, home=back.home)
            while len(back.bucket.objects("t/")) < before + 20:
                self.assertIsNone(process.poll())
            self.assertEqual(self.interrupted(process, number)[0], code)
            files, written = self.objects(there.bucket), self.objects(back.bucket)
            self.assertLess(len(written), MANY)
            for key, body in written.items():
                self.assertEqual(body, files[key], key)
        found = self.succeed("import", path, "--json", home=back.home).json
        self.assertEqual((found["files"], found["scopes"], found["same"]), (MANY - len(written), 30, len(written)))
        self.same_as(back, there)

    # ---- usage
    def test_usage_is_what_the_bucket_and_the_database_hold(self):
        there = self.filled("counted")
        found = self.succeed("usage", "--json", home=there.home).json
        sizes = there.bucket.objects("t/") | there.bucket.objects("u/")
        rows, characters = self.sql(there.database, 'SELECT count(*), sum(length("values"::text)) FROM "Contexts"').split("|")
        self.assertEqual(found["total"], {"projects": 3, "files": len(sizes), "fileBytes": sum(sizes.values()), "scopes": int(rows),
                                          "contextCharacters": int(characters)})
        self.assertEqual([(use["team"], use["project"]) for use in found["projects"]], [("u", "q"), ("t", "p"), ("-", "r")])
        found = self.succeed("usage", "--json", "--project", "t/p", home=there.home).json["projects"]
        self.assertEqual([(use["project"], use["files"], use["scopes"]) for use in found], [("p", 22, 13)])

    # ---- gc
    def live(self, *projects):
        path = self.folder / "live.txt"
        path.write_text("".join(f"{project}\n" for project in projects))
        return path

    def test_gc_removes_what_is_not_alive_and_nothing_else(self):
        server = self.filled("garbage").start()
        files, rows = self.objects(server.bucket), self.rows(server, "project = 'q'")
        self.sql(server.database, """UPDATE "Contexts" SET "updatedAt" = '2020-01-01T00:00:00Z'""")
        live = self.live("q")
        outcome = self.succeed("gc", "--live", live, home=server.home)
        self.assertIn("keep    t/p  22 files", outcome.out)  # the bucket says that they are of today
        self.assertIn("orphan  -/r  0 files of 0 B, 1 scope\n", outcome.out)
        self.succeed("gc", "--live", live, "--delete", "1", home=server.home)
        self.assertEqual(self.rows(server, "project = 'r'"), "")
        self.assertEqual(self.objects(server.bucket), files)
        self.succeed("gc", "--live", live, "--quiet-days", "0", "--delete", "1", home=server.home)
        self.assertEqual(self.objects(server.bucket), {"u/q/large": files["u/q/large"]})
        self.assertEqual(self.rows(server), rows)
        self.assertEqual(self.context(server, "p"), {})
        self.assertEqual(self.get(server, "u/q/large"), files["u/q/large"])

    def test_gc_keeps_context_that_was_written_of_late(self):
        server = self.filled("fresh")
        live = self.live("p", "q")
        outcome = self.succeed("gc", "--live", live, home=server.home)
        self.assertIn("keep    -/r  0 files of 0 B, 1 scope\n", outcome.out)
        self.assertIn("nothing to remove\n", outcome.out)
        for date in ("now()", "'infinity'"):
            self.sql(server.database, f'UPDATE "Contexts" SET "updatedAt" = {date}')
            self.assertEqual(self.succeed("gc", "--live", live, "--json", home=server.home).json["orphans"], [])
        self.sql(server.database, """UPDATE "Contexts" SET "updatedAt" = now() - interval '8 days'""")
        found = self.succeed("gc", "--live", live, "--delete", "1", "--json", home=server.home).json
        self.assertEqual([(one["project"], one["removed"]) for one in found["orphans"]], [("r", True)])

    def test_an_interrupted_gc_can_be_done_again(self):
        server = self.remote_server("again", "p")
        for number in range(100):
            for name in ("a", "b"):
                server.bucket.put(f"t/dead{number}/{name}", b"x")
        server.start()
        self.put(server, "t/p/alive", b"1")
        self.set_context(server, "p", "global", {"a": 1})
        server.stop()
        self.sql(server.database, """
            INSERT INTO "Contexts" (project, scope, "values", "createdAt", "updatedAt")
            SELECT 'dead' || number, 'global', '{"a":1}', now(), now() FROM generate_series(0, 99) AS number""")

        def left():
            return len({key.split("/")[1] for key in server.bucket.objects("t/dead")})

        process = self.begin("gc", "--live", self.live("p"), "--quiet-days", "0", "--delete", "100", home=server.home)
        while left() > 95:
            self.assertIsNone(process.poll())
        self.assertEqual(self.interrupted(process)[0], 130)
        self.assertGreater(left(), 0)
        found = self.succeed("gc", "--live", self.live("p"), "--quiet-days", "0", "--json", home=server.home).json
        count = str(len(found["orphans"]))
        self.succeed("gc", "--live", self.live("p"), "--quiet-days", "0", "--delete", count, home=server.home)
        self.assertEqual(self.objects(server.bucket), {"t/p/alive": b"1"})
        self.assertEqual(json.loads(self.rows(server).split("|")[2]), {"a": 1})


if __name__ == "__main__":
    unittest.main()
