#!/usr/bin/env python3
"""The documentation: links lead somewhere, commands work, and what is claimed names its test.

Runs the binary named by FLOWSTORE (default build/release/flowstore) in temporary folders.
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from flowstore import PROJECT, TOKEN, LocalFlowstore  # noqa: E402

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md")]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"<!--.*?-->|^```.*?^```|^    .*?$|`[^`\n]*`", re.M | re.S)


def anchors(page):
    """As GitHub makes them of headings."""
    for heading in re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S), re.M):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


class Documentation(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for page in PAGES:
            for link in LINK.findall(CODE.sub("", page.read_text())):
                if link.startswith(("http://", "https://")):
                    continue
                name, _, anchor = link.partition("#")
                target = (page.parent / name).resolve() if name else page
                with self.subTest(f"{page.relative_to(ROOT)}: {link}"):
                    self.assertTrue(target.exists())
                    if anchor:
                        self.assertIn(anchor, set(anchors(target)))

    def test_every_page_is_in_the_index(self):
        index = (ROOT / "docs/README.md").read_text()
        for page in ROOT.glob("docs/*.md"):
            if page.name != "README.md":
                self.assertIn(f"({page.name}", index)

    def test_every_row_of_the_compatibility_table_names_a_test_that_there_is(self):
        sources = {path: path.read_text(errors="replace") for folder in ("src", "tests", "bench", "docs")
                   for path in (ROOT / folder).rglob("*") if path.suffix in (".cpp", ".py", ".json", ".yaml")
                   and "node_modules" not in path.parts and "corpus" not in path.parts}
        for line in (ROOT / "docs/compatibility.md").read_text().splitlines():
            if not line.startswith("| ") or line.startswith("| what |"):
                continue
            with self.subTest(line[:60]):
                tests = re.findall(r"`([^`]+)`", line.rsplit("|", 2)[1])
                self.assertTrue(tests, "names no test")
                for test in tests:
                    place, _, name = test.partition(": ")
                    found = [path for path in sources if str(path.relative_to(ROOT)).endswith(place)]
                    self.assertTrue(found, f"{place} is no file")
                    if name:
                        self.assertTrue(any(name in sources[path] for path in found), f"{name} is not in {place}")

    def test_the_example_has_every_option(self):
        example = (ROOT / "etc/flowforge-storage.example.yml").read_text()
        options = re.findall(r"^\| `([\w.\[\]]+)` \|", (ROOT / "docs/configuration.md").read_text(), re.M)
        self.assertGreater(len(options), 70)
        for option in options:
            if not option.endswith("[]"):  # a token as plain text
                self.assertIn(option.rpartition(".")[2] + ":", example, option)

    def test_the_commands_of_the_http_page_work(self):
        commands = "\n".join(re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs/http-api.md").read_text(), re.M | re.S))
        with tempfile.TemporaryDirectory(prefix="flowstore-docs-") as folder:
            server = LocalFlowstore(folder, context={"type": "db", "options": {
                "type": "sqlite", "storage": str(pathlib.Path(folder) / "context.db")}}).start()
            self.addCleanup(server.kill)
            script = commands.replace("URL=http://127.0.0.1:3001", f"URL=http://127.0.0.1:{server.port}")
            script = script.replace("PROJECT=project", f"PROJECT={PROJECT}")
            done = subprocess.run(["bash", "-euc", f"TOKEN={TOKEN}\n{script}"], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertTrue(done.stdout.startswith('hello world{"meta":{},"count":1,"files":[{"name":"a.txt"'), done.stdout)
            self.assertTrue(done.stdout.endswith('{"used":0}{}[{"key":"a.b","value":1}]["a"]'
                                                 '{"meta":{},"count":1,"data":[{"scope":"global","values":{"a":{"b":1}}}]}'), done.stdout)

    def test_the_chart_is_what_was_measured(self):
        done = subprocess.run([sys.executable, ROOT / "bench/chart.py", "--check"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
