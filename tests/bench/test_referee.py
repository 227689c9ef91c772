#!/usr/bin/env python3
"""What script/bench makes of measurements: medians, verdicts, repetitions. Nothing here is measured."""
import contextlib
import io
import pathlib
import subprocess
import sys
import tempfile
import types
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import machine  # noqa: E402
import old_server  # noqa: E402
import report  # noqa: E402
import rounds  # noqa: E402
from client import Client  # noqa: E402
from goals import ABSOLUTE, BASE, Goal  # noqa: E402
from peers import Failed, free_port  # noqa: E402

OURS, THEIRS = types.SimpleNamespace(name="flowstore"), types.SimpleNamespace(name="nginx")
QUIET, LOUD = 0.0, 1.0


def cell(run, work="work", peers=(OURS, THEIRS), **more):
    return rounds.Cell(work, list(peers), run, **more)


def measured(cells, foreign=(), count=1, only=None):
    """Results of scripted cells, while others have so many cores in turn, and then none."""
    others = iter(foreign)
    watch = types.SimpleNamespace(cores=lambda: next(others, QUIET))
    options = types.SimpleNamespace(rounds=count, only=only, quick=False)
    with mock.patch.object(rounds, "Foreign", lambda _: watch), mock.patch.object(rounds, "PAUSE", 0):
        with contextlib.redirect_stdout(io.StringIO()):
            return rounds.measure("part", cells, set, options)


def values(*figures):
    """Gives one after the other, whoever asks."""
    each = iter(figures)
    return lambda *_: {"value": next(each)}


class Rounds(unittest.TestCase):
    def test_a_disturbed_measurement_is_thrown_away_and_made_again(self):
        results = measured([cell(values(1, 2), peers=[OURS])], foreign=[LOUD, QUIET])
        self.assertEqual(results.median("work", "flowstore"), 2)
        self.assertEqual((results.thrown_away, results.disturbed), (1, 0))

    def test_the_quietest_stays_where_all_are_disturbed(self):
        results = measured([cell(values(1, 2, 3, 4), peers=[OURS])], foreign=[0.9, 0.5, 0.8, 0.7])
        self.assertEqual(results.median("work", "flowstore"), 2)
        self.assertEqual((results.thrown_away, results.disturbed), (rounds.TRIES - 1, 1))

    def test_peers_come_in_turn_there_and_back(self):
        order = []
        measured([cell(lambda peer, _: order.append(peer.name) or {"value": 1})], count=2)
        self.assertEqual(order, ["flowstore", "nginx", "nginx", "flowstore"])

    def test_a_peer_that_fails_is_named_and_the_others_go_on(self):
        def run(peer, _):
            if peer is THEIRS:
                raise Failed("500")
            return {"value": 1}
        results = measured([cell(run)], count=2)
        self.assertEqual(len(results.rows["work", "flowstore"]), 2)
        self.assertIn("- failed: work, nginx: 500", results.remarks())

    def test_a_work_that_is_asked_for_brings_the_one_that_it_is_set_beside(self):
        works = [cell(values(1), "alone"), cell(values(1), "beside", base="alone"), cell(values(1), "other")]
        options = types.SimpleNamespace(only="beside")
        self.assertEqual([one.work for one in rounds.chosen(works, options)], ["alone", "beside"])


class Verdicts(unittest.TestCase):
    def words(self, goal, *cells):
        """(figure, word) of each verdict."""
        results = measured(list(cells), count=1)
        with mock.patch.object(report, "GOALS", [goal]):
            return [(verdict.figure, verdict.word()) for verdict in results.verdicts()]

    def test_a_ratio_to_a_peer(self):
        self.assertEqual(self.words(Goal("work", "flowstore", "nginx", least=0.5), cell(values(1.0, 2.0))), [(0.5, "met")])
        self.assertEqual(self.words(Goal("work", "flowstore", "nginx", least=0.6), cell(values(1.0, 2.0))), [(0.5, "**missed**")])
        self.assertEqual(self.words(Goal("work", "flowstore", "nginx", most=0.4), cell(values(1.0, 2.0))), [(0.5, "**missed**")])

    def test_the_figure_itself(self):
        self.assertEqual(self.words(Goal("work", "flowstore", ABSOLUTE, most=2), cell(values(2), peers=[OURS])), [(2, "met")])

    def test_the_same_server_in_another_work(self):
        works = [cell(values(4.0), "alone", [OURS]), cell(values(1.0), "beside", [OURS], base="alone")]
        self.assertEqual(self.words(Goal("beside", "flowstore", BASE, least=0.3), *works), [(0.25, "**missed**")])

    def test_a_goal_without_a_figure_is_not_met(self):
        self.assertEqual(self.words(Goal("work", "flowstore", "nginx", least=0.5), cell(values(1.0), peers=[OURS])), [(None, "not measured")])

    def test_a_whole_run_shows_the_goals_that_no_work_was_for(self):
        goal = Goal("no such work", "flowstore", "nginx", least=1)
        with mock.patch.object(report, "GOALS", [goal]):
            self.assertIn("no such work", "\n".join(report.goals_table([], is_whole=True)))
            self.assertNotIn("no such work", "\n".join(report.goals_table([], is_whole=False)))

    def test_the_middle_of_the_rounds_counts(self):
        results = measured([cell(values(1, 100, 3), peers=[OURS])], count=3)
        self.assertEqual(results.median("work", "flowstore"), 3)
        self.assertEqual(results.spread("work", "flowstore"), 33)


class Machine(unittest.TestCase):
    def test_processes_that_descend_belong_whatever_their_group(self):
        everybody = {pid: machine.Process(parent, group, 0) for pid, parent, group in
                     [(10, 1, 10), (11, 10, 10), (12, 11, 12), (13, 12, 13), (20, 1, 20), (30, 1, 10)]}
        self.assertEqual(machine.family({10}, everybody), {10, 11, 12, 13, 30})


class Peers(unittest.TestCase):
    def test_the_old_server_is_any_command_or_none(self):
        self.assertEqual(old_server.command("node 'a b/index.js' -x"), ["node", "a b/index.js", "-x"])
        self.assertIsNone(old_server.command("none"))

    def test_raw_epoll_answers_with_the_bytes_that_it_is_given(self):
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000
        with tempfile.TemporaryDirectory() as folder:
            program, file, port = f"{folder}/raw_epoll", pathlib.Path(folder, "answer"), free_port()
            file.write_bytes(answer)
            subprocess.run(["g++", "-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", ROOT / "bench/raw_epoll.cpp", "-o", program], check=True)
            process = subprocess.Popen([program, str(port), "2", str(file)])
            try:
                with self.connected(port, process) as client:
                    self.assertEqual([client.answer("/a"), client.answer("/b")], [answer, answer])
            finally:
                process.kill()
                process.wait()

    def connected(self, port, process):
        while process.poll() is None:
            with contextlib.suppress(ConnectionRefusedError):
                return Client(port)
        self.fail("raw_epoll has ended")


if __name__ == "__main__":
    unittest.main()
