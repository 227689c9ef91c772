#!/usr/bin/env python3
"""`flowstore gc`: what it finds, what it removes, and everything that must keep it from removing."""
import contextlib
import os
import pathlib
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from commands import CommandTest  # noqa: E402

MONTH = 30 * 24 * 3600
OLD = "2020-01-02 03:04:05.678 +00:00"  # as Sequelize writes it


def date_context(server, date, where="true"):
    """When rows were changed last; of a server that does not run."""
    with contextlib.closing(sqlite3.connect(next(server.home.rglob("context.db")))) as database, database:
        database.execute(f"UPDATE Contexts SET updatedAt = ? WHERE {where}", [date])


class Gc(CommandTest):
    def filled(self):
        """Projects a (alive), b and c (not), with files and context; d has context only. All are old."""
        server = self.server_with("a", "b", "c", "d").start()
        for project in "abc":
            self.put(server, f"t/{project}/dir/f", b"12345")
        for project in "abd":
            self.set_context(server, project, "global", {"x": 1})
        server.stop()
        for path in server.root.rglob("f"):
            os.utime(path, (time.time() - MONTH, time.time() - MONTH))
        date_context(server, OLD)
        return server

    def live(self, text="a\n"):
        path = self.folder / "live.txt"
        path.write_text(text)
        return path

    def kept(self, server):
        found = self.succeed("usage", "--json", home=server.home).json["projects"]
        return sorted(use["project"] for use in found if use["files"] or use["scopes"])

    def refused(self, server, reason, *words, **options):
        outcome = self.run_command("gc", *words, home=server.home, **options)
        self.assertNotEqual(outcome.code, 0, outcome)
        self.assertIn(reason, outcome.err)
        self.assertEqual(self.kept(server), ["a", "b", "c", "d"])

    def test_it_only_looks_unless_it_is_told_how_many_to_remove(self):
        server = self.filled()
        outcome = self.succeed("gc", "--live", self.live(), home=server.home)
        self.assertIn("orphan  t/b  1 file of 5 B, 1 scope\n", outcome.out)
        self.assertIn("orphan  -/d  0 files of 0 B, 1 scope\n", outcome.out)
        self.assertIn("3 projects could be removed, with --delete 3\n", outcome.out)
        self.assertEqual(self.kept(server), ["a", "b", "c", "d"])
        found = self.succeed("gc", "--live", self.live(), "--json", home=server.home).json
        self.assertEqual([one["project"] for one in found["orphans"]], ["d", "b", "c"])

    def test_it_removes_files_and_context_and_nothing_of_the_living(self):
        server = self.filled()
        outcome = self.succeed("gc", "--live", self.live(), "--delete", "3", home=server.home)
        self.assertEqual(outcome.out.count("removed "), 3)
        self.assertEqual(self.kept(server), ["a"])
        server.start()
        self.assertEqual(self.get(server, "t/a/dir/f"), b"12345")
        self.assertEqual(self.context(server, "a"), {"global": {"x": 1}})
        server.stop()
        self.assertIn("nothing to remove", self.succeed("gc", "--live", self.live(), home=server.home).out)

    def test_the_list_may_come_by_standard_input(self):
        server = self.filled()
        found = self.run_command("gc", "--live", "-", "--json", home=server.home, input=b"a\nb\r\n")
        self.assertEqual([one["project"] for one in found.json["orphans"]], ["d", "c"])

    def test_another_number_than_there_are_removes_nothing(self):
        server = self.filled()
        for number in ("0", "2", "4"):
            self.refused(server, "there are 3 projects to remove, and not " + number, "--live", self.live(), "--delete", number)

    def test_a_list_that_cannot_be_right_removes_nothing(self):
        server = self.filled()
        for text, reason in (("", "holds no id"), ("a\nb", "the last line does not end"), ("<html>401</html>\n", "is no id of a project"),
                             ("x\ny\n", "knows none of the projects"), ('{"error":"unauthorized"}\n', "is no id of a project")):
            self.refused(server, reason, "--live", self.live(text), "--delete", "4" if text == "x\ny\n" else "3")
        self.refused(server, "cannot be read", "--live", self.folder / "nowhere", "--delete", "3")
        self.refused(server, "cannot be read", "--live", self.folder, "--delete", "3")
        self.refused(server, "--live is required", "--delete", "3")

    def test_what_was_changed_of_late_stays(self):
        server = self.filled()
        os.utime(server.root / "t/c/dir/f")
        outcome = self.succeed("gc", "--live", self.live(), home=server.home)
        self.assertIn("keep    t/c  1 file", outcome.out)
        self.assertIn("--delete 2\n", outcome.out)
        self.succeed("gc", "--live", self.live(), "--delete", "2", home=server.home)
        self.assertEqual(self.kept(server), ["a", "c"])
        self.succeed("gc", "--live", self.live(), "--quiet-days", "0", "--delete", "1", home=server.home)
        self.assertEqual(self.kept(server), ["a"])

    def test_context_that_was_written_of_late_stays(self):
        server = self.filled().start()
        for project in "bd":
            self.set_context(server, project, "f1", {"x": 2})  # beside scopes that are old
        server.stop()
        outcome = self.succeed("gc", "--live", self.live(), home=server.home)
        self.assertIn("keep    t/b  1 file of 5 B, 2 scopes\n", outcome.out)
        self.assertIn("keep    -/d  0 files of 0 B, 2 scopes\n", outcome.out)
        self.assertIn("keep: not alive, but with files or context that were changed of late\n", outcome.out)
        found = self.succeed("gc", "--live", self.live(), "--delete", "1", "--json", home=server.home).json
        self.assertEqual([(one["project"], one["removed"]) for one in found["orphans"]], [("c", True)])
        self.assertEqual([one["project"] for one in found["young"]], ["d", "b"])
        self.assertEqual(self.kept(server), ["a", "b", "d"])
        date_context(server, OLD)
        found = self.succeed("gc", "--live", self.live(), "--delete", "2", "--json", home=server.home).json
        self.assertEqual([one["changed"] for one in found["orphans"]][0], "2020-01-02T03:04:05.000Z")
        self.assertEqual(self.kept(server), ["a"])

    def test_a_date_that_cannot_be_read_may_be_one_of_today(self):
        server = self.filled()
        date_context(server, "no date", "project = 'd'")
        outcome = self.succeed("gc", "--live", self.live(), home=server.home)
        self.assertIn("keep    -/d  0 files of 0 B, 1 scope\n", outcome.out)
        self.succeed("gc", "--live", self.live(), "--quiet-days", "0", "--delete", "3", home=server.home)
        self.assertEqual(self.kept(server), ["a"])

    def test_files_of_late_under_another_team_keep_the_project(self):
        server = self.filled()
        (server.root / "u/b").mkdir(parents=True)
        (server.root / "u/b/new").write_bytes(b"1")
        outcome = self.succeed("gc", "--live", self.live(), home=server.home)
        self.assertIn("keep    t/b  1 file of 5 B, 1 scope\n", outcome.out)
        self.assertIn("keep    u/b  1 file of 1 B, 0 scopes\n", outcome.out)

    def test_the_server_runs_meanwhile(self):
        server = self.filled().start()
        self.succeed("gc", "--live", self.live(), "--delete", "3", home=server.home)
        answer = server.ask("GET", "/v1/files/t/b/dir/f", headers={"Authorization": "Bearer planted-token-b"})
        self.assertEqual(answer.status, 404)
        self.put(server, "t/a/new", b"1")
        server.kill()
        server.start()  # what its log had brings nothing back
        self.assertEqual(self.context(server, "b"), {})
        answer = server.ask("GET", "/v1/files/t/b/dir/f", headers={"Authorization": "Bearer planted-token-b"})
        self.assertEqual(answer.status, 404)
        self.assertEqual(self.get(server, "t/a/new"), b"1")

    def test_an_interrupted_run_can_be_done_again(self):
        server = self.server()
        for project in range(300):
            folder = server.root / f"t/p{project}"
            folder.mkdir(parents=True)
            for name in range(5):
                (folder / f"f{name}").write_bytes(b"x")
                os.utime(folder / f"f{name}", (1e9, 1e9))
        (server.root / "t/a").mkdir()
        (server.root / "t/a/f").write_bytes(b"1")
        process = self.begin("gc", "--live", self.live(), "--delete", "300", home=server.home)

        def left():
            return sum(1 for folder in (server.root / "t").iterdir() if any(folder.iterdir()))

        while left() > 290:
            self.assertIsNone(process.poll())
        self.assertEqual(self.interrupted(process)[0], 130)
        rest = left() - 1
        self.assertGreater(rest, 0)
        self.succeed("gc", "--live", self.live(), "--delete", str(rest), home=server.home)
        self.assertEqual(left(), 1)


if __name__ == "__main__":
    unittest.main()
