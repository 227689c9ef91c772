#!/usr/bin/env python3
"""docs/metrics.md names every metric as it is, and Prometheus has nothing against them.

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
from flowstore import PROJECT, Flowstore, LocalFlowstore, run_all  # noqa: E402

METRICS = {"telemetry": {"backend": {"prometheus": {"enabled": True, "openTelemetryNames": True}}}}
ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<type>\w+) \| [^|]+ \|(?P<labels>[^|]*)\|", re.M)
SAMPLE = re.compile(r'^(?P<name>\w+)(?:\{(?P<labels>.*)\})? \S+$')
# The old server's name, which may not change.
COMPLAINT = "http_request_summary_seconds metric name should not include type 'summary'"
# Known only when a store has been tried: tests/s3/test_tools.py has one.
NOT_HERE = {"flowstore_s3_capability"}


def documented():
    """Type and labels by the name of each metric."""
    text = (ROOT / "docs/metrics.md").read_text()
    return {row["name"]: (row["type"], frozenset(re.findall(r"`(\w+)`", row["labels"]))) for row in ROW.finditer(text)}


def families(text):
    """The same of what was scraped; no labels where there is no sample."""
    types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
    labels = {}
    for line in text.splitlines():
        if (sample := SAMPLE.match(line)) is None:
            continue
        name = sample["name"]
        if name not in types:
            name = re.sub(r"_(bucket|sum|count)$", "", name)
        found = set(re.findall(r'(\w+)="', sample["labels"] or "")) - {"le", "quantile"}
        labels[name] = labels.get(name, set()) | found
    return {name: (kind, frozenset(labels[name]) if name in labels else None) for name, kind in types.items()}


class Metrics(unittest.TestCase):
    def scrape(self, make):
        with tempfile.TemporaryDirectory(prefix="flowstore-metrics-") as folder:
            server = make(pathlib.Path(folder)).start()
            try:
                server.write("a", b"x")
                server.read("a")
                server.ask("POST", f"/v1/context/{PROJECT}/global", b'[{"key":"a","value":1}]', {"Content-Type": "application/json"})
                server.ask("GET", f"/v1/context/{PROJECT}/global/keys")
                return server.ask("GET", "/metrics").body.decode()
            finally:
                server.kill()

    @staticmethod
    def alone(folder):
        storage = str(folder / "context.db")
        return LocalFlowstore(folder, **METRICS, context={"type": "db", "options": {"type": "sqlite", "storage": storage}})

    @staticmethod
    def in_a_fleet(folder):
        """With a platform, a bucket and a PostgreSQL, none of which is there."""
        closed = run_all.free_ports(3)
        server = Flowstore(folder, {"type": "s3", "options": {
            "bucket": "b", "endpoint": f"http://127.0.0.1:{closed}", "forcePathStyle": True,
            "credentials": {"accessKeyId": "k", "secretAccessKey": "planted-secret"}}},
            **METRICS, base_url=f"http://127.0.0.1:{closed + 1}",
            context={"type": "db", "options": {"type": "postgres", "host": "127.0.0.1", "port": closed + 2, "username": "u"}})
        del server.config["auth"]
        return server

    def test_are_documented_with_type_and_labels(self):
        known, seen = documented(), set()
        for make in (self.alone, self.in_a_fleet):
            for name, (kind, labels) in families(self.scrape(make)).items():
                self.assertIn(name, known, "docs/metrics.md does not have it")
                self.assertEqual(kind, known[name][0], name)
                if labels is not None:
                    self.assertEqual(labels, known[name][1], name)
                seen.add(name)
        self.assertEqual(known.keys() - seen, NOT_HERE)

    def test_have_no_other_names_in_the_source(self):
        found = set()
        for path in (ROOT / "src").rglob("*.cpp"):
            if not path.name.endswith("_test.cpp"):
                found |= set(re.findall(r'"((?:flowstore|process)_[a-z0-9_]+|http_\w+_seconds)"', path.read_text()))
        self.assertEqual(found, set(documented()))

    def test_are_what_promtool_wants(self):
        for make in (self.alone, self.in_a_fleet):
            checked = subprocess.run(["promtool", "check", "metrics"], input=self.scrape(make), capture_output=True, text=True)
            self.assertEqual((checked.stdout + checked.stderr).strip(), COMPLAINT)


if __name__ == "__main__":
    unittest.main(verbosity=2)
