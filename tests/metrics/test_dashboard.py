#!/usr/bin/env python3
"""The alerts and the dashboard, with a real Prometheus that scrapes a real flowstore.

Runs the binary named by FLOWSTORE (default build/release/flowstore) in temporary folders.
"""
import contextlib
import itertools
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
sys.path.insert(0, str(ROOT / "tests/metrics"))
from flowstore import PROJECT, LocalFlowstore, run_all  # noqa: E402
from test_metrics import documented  # noqa: E402

RULES = ROOT / "packaging/prometheus/flowstore.rules.yml"
DASHBOARD = ROOT / "packaging/grafana/flowstore.json"
PATIENCE = 60  # seconds
WIDTH = 24
# Of parts that the server of this test has not: it lists its tokens and has neither bucket nor PostgreSQL.
ELSEWHERE = ("flowstore_s3_", "flowstore_postgres_", "flowstore_auth_", "flowstore_platform_")

CONFIG = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: flowstore
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def panels():
    return json.loads(DASHBOARD.read_text())["panels"]


def queries():
    for panel in panels():
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def alerts():
    return re.findall(r"^      - alert: (\w+)$", RULES.read_text(), re.M)


class Files(unittest.TestCase):
    """What can be seen without a server."""

    def run_promtool(self, *words):
        done = subprocess.run(["promtool", *words], capture_output=True, text=True, cwd=RULES.parent)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_rules_are_rules_and_fire_when_they_should(self):
        self.run_promtool("check", "rules", "--lint=all", "--lint-fatal", RULES.name)
        self.run_promtool("test", "rules", "flowstore.rules_test.yml")

    def test_every_alert_is_tested_and_told_what_to_do_about(self):
        tested = re.findall(r"alertname: (\w+)", (RULES.parent / "flowstore.rules_test.yml").read_text())
        self.assertEqual(set(tested), set(alerts()))
        page = (ROOT / "docs/troubleshooting.md").read_text()
        for alert in alerts():
            self.assertIn(f"`{alert}`", page)

    def test_rules_and_dashboard_use_metrics_that_there_are(self):
        text = RULES.read_text() + DASHBOARD.read_text()
        used = set(re.findall(r"\b((?:flowstore|process|http)_\w+)\{", text.replace('\\"', '"')))
        self.assertGreater(len(used), 30)
        for name in used:
            self.assertIn(re.sub(r"_(bucket|sum|count)$", "", name), documented())

    def test_dashboard_is_one(self):
        board = json.loads(DASHBOARD.read_text())
        self.assertEqual((board["uid"], board["title"]), ("flowstore", "flowstore"))
        self.assertGreaterEqual(board["schemaVersion"], 36)
        variables = [variable["name"] for variable in board["templating"]["list"]]
        self.assertEqual(variables, ["datasource", "job", "instance"])
        ids = [panel["id"] for panel in board["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        for panel in board["panels"]:
            self.assertIn(panel["type"], ("row", "stat", "timeseries"))
            self.assertTrue(panel["title"])
            if panel["type"] == "row":
                continue
            self.assertIn("unit", panel["fieldConfig"]["defaults"])
            self.assertEqual(panel["datasource"], {"type": "prometheus", "uid": "${datasource}"})
            names = [target["refId"] for target in panel["targets"]]
            self.assertEqual(names, sorted(set(names)))
            self.assertTrue(all(target["datasource"] == panel["datasource"] for target in panel["targets"]))

    def test_panels_do_not_lie_on_each_other(self):
        taken = {}
        for panel in panels():
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], WIDTH, panel["title"])
            for cell in itertools.product(range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])):
                self.assertNotIn(cell, taken, f"{panel['title']} lies on {taken.get(cell)}")
                taken[cell] = panel["title"]


class Scraped(unittest.TestCase):
    """Every query, answered by Prometheus."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="flowstore-prometheus-")
        cls.addClassCleanup(folder.cleanup)
        cls.home = pathlib.Path(folder.name)
        cls.server = LocalFlowstore(cls.home, telemetry={"backend": {"prometheus": {"enabled": True}}}, context={
            "type": "db", "options": {"type": "sqlite", "storage": str(cls.home / "context.db")}}).start()
        cls.addClassCleanup(cls.server.kill)
        cls.start_prometheus()
        cls.start_load()

    @classmethod
    def start_prometheus(cls):
        config = cls.home / "prometheus.yml"
        config.write_text(CONFIG.format(rules=RULES, port=cls.server.port))
        cls.port = run_all.free_ports(1)
        with open(cls.home / "prometheus.log", "wb") as log:
            process = subprocess.Popen(
                ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={cls.home / 'data'}",
                 f"--web.listen-address=127.0.0.1:{cls.port}"], stdout=log, stderr=log)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.kill)

    @classmethod
    def start_load(cls):
        is_over = threading.Event()

        def work():
            scope = f"/v1/context/{PROJECT}/global"
            while not is_over.is_set():
                cls.server.write("a", b"x" * 1000)
                cls.server.read("a")
                cls.server.ask("POST", scope, b'[{"key":"a","value":1}]', {"Content-Type": "application/json"})
                cls.server.ask("GET", f"{scope}?key=a")
                cls.server.ask("GET", "/ready")

        thread = threading.Thread(target=work)
        thread.start()
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(is_over.set)

    def ask(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]

    def result_of(self, query):
        """What Grafana would get; it puts in what the variables stand for."""
        for name, value in (("$__rate_interval", "10s"), ("$job", ".+"), ("$instance", ".+")):
            query = query.replace(name, value)
        return self.ask("/api/v1/query", query=query)["result"]

    def when(self, holds, what):
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                if holds():
                    return
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.2)

    def test_every_query_of_the_dashboard_has_an_answer(self):
        for title, query in queries():
            with self.subTest(title, query=query):
                if any(name in query for name in ELSEWHERE):
                    self.assertEqual(self.result_of_when_up(query), [])
                    continue
                self.when(lambda query=query: self.result_of(query), f"{title} shows nothing")
                self.assertTrue(all(one["value"][1] != "NaN" for one in self.result_of(query)) or "/ sum" in query or
                                "quantile" in query)

    def result_of_when_up(self, query):
        self.when(lambda: self.result_of("up"), "Prometheus does not answer")
        return self.result_of(query)

    def test_requests_of_the_dashboard_are_those_that_were_sent(self):
        query = next(query for title, query in queries() if title == "Requests by route")
        self.when(lambda: len(self.result_of(query)) >= 5, "routes are missing")
        routes = {(one["metric"]["method"], one["metric"]["route"]) for one in self.result_of(query)}
        self.assertLessEqual({("POST", "/v1/files/:teamId/:projectId/*"), ("GET", "/v1/files/:teamId/:projectId/*"),
                              ("POST", "/v1/context/:projectId/:scope"), ("GET", "/v1/context/:projectId/:scope")}, routes)

    def test_rules_are_loaded_and_none_fires_of_a_healthy_server(self):
        def rules():
            return [rule for group in self.ask("/api/v1/rules")["groups"] for rule in group["rules"]]

        self.when(lambda: len(rules()) == len(alerts()) and all(rule["health"] == "ok" for rule in rules()), "rules are not evaluated")
        self.assertEqual([rule["name"] for rule in rules() if rule["state"] == "firing"], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
