#!/usr/bin/env python3
"""`flowstore usage`: what is in a folder and in SQLite, beside a server that writes."""
import pathlib
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from commands import CommandTest  # noqa: E402


class Usage(CommandTest):
    def test_counts_files_and_context_per_project_and_team(self):
        server = self.server_with("p", "q", "only-context").start()
        self.put(server, "t/p/a", b"12345")
        self.put(server, "t/p/dir/b", b"123")
        self.put(server, "u/q/a", b"1")
        self.set_context(server, "q", "global", {"a": "é"})
        self.set_context(server, "only-context", "f1", {"a": 1})
        found = self.succeed("usage", "--json", home=server.home).json
        self.assertEqual(found["total"], {"projects": 3, "files": 3, "fileBytes": 9, "scopes": 2, "contextCharacters": 16})
        self.assertEqual([(use["team"], use["project"], use["files"], use["fileBytes"], use["scopes"], use["contextCharacters"])
                          for use in found["projects"]],
                         [("u", "q", 1, 1, 1, 9), ("t", "p", 2, 8, 0, 0), ("-", "only-context", 0, 0, 1, 7)])
        self.assertEqual([use["team"] for use in found["teams"]], ["u", "t", "-"])
        text = self.succeed("usage", home=server.home).out
        self.assertEqual([line.split()[0] for line in text.splitlines()], ["team,", "u", "q", "t", "p", "-", "only-context", "total"])

    def test_counts_the_named_projects_only(self):
        server = self.server_with("p", "q").start()
        self.put(server, "t/p/a", b"12345")
        self.put(server, "t/q/a", b"123")
        self.set_context(server, "q", "global", {"a": 1})
        found = self.succeed("usage", "--json", "--project", "t/q", home=server.home).json
        self.assertEqual([use["project"] for use in found["projects"]], ["q"])
        self.assertEqual((found["total"]["fileBytes"], found["total"]["contextCharacters"]), (3, 7))

    def test_an_empty_store_is_no_error(self):
        server = self.server()
        found = self.succeed("usage", "--json", home=server.home).json
        self.assertEqual((found["total"]["files"], found["projects"], found["teams"]), (0, [], []))

    def test_the_server_goes_on_meanwhile(self):
        server = self.server().start()
        failed, stop = [], threading.Event()

        def write():
            count = 0
            while not stop.is_set():
                count += 1
                answer = server.write(f"f{count % 50}", b"x" * (count % 3000))
                if answer.status != 200:
                    failed.append(answer)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(3):
                self.succeed("usage", home=server.home)
        finally:
            stop.set()
            writer.join()
        self.assertEqual(failed, [])
        found = self.succeed("usage", "--json", home=server.home).json
        self.assertEqual((found["total"]["files"], found["total"]["fileBytes"]), (len(server.sizes()), sum(server.sizes().values())))

    def test_memory_cannot_be_counted_from_outside(self):
        file = self.config_file("memory.yml", {"driver": {"type": "memory"}, "base_url": "http://127.0.0.1:1"})
        outcome = self.run_command("usage", "--config", file)
        self.assertEqual(outcome.code, 1)
        self.assertIn("driver.type memory: lives in the memory of the server", outcome.err)

    def test_a_database_that_is_down_is_an_error(self):
        server = self.server(context={"type": "sequelize", "options": {"type": "postgres", "host": "127.0.0.1", "port": 1,
                                                                       "username": "u", "password": "planted-password"}})
        outcome = self.run_command("usage", home=server.home)
        self.assertEqual((outcome.code, outcome.out), (1, ""))
        self.assertNotIn("planted-password", outcome.err)


if __name__ == "__main__":
    unittest.main()
