#!/usr/bin/env python3
"""A power cut at every moment: what was answered is on the disk.

flowstore runs under strace, one request after the other; then every system call that it made is
followed on a disk that forgets whatever it may forget (power.py). What it still has after an answer, and
at moments between, is laid out in a folder, and flowstore is started there: with what it makes of it,
every file must be what was answered. CHANGES (120) in each test.
"""
import json
import os
import pathlib
import random
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE)]
from flowstore import PROJECT, LocalFlowstore, run_all  # noqa: E402
from known import NOTHING, shown  # noqa: E402
from power import Disk, calls, can_trace, has_ended, lay_out, traced, tracer_of  # noqa: E402
from wal import forget_run, forget_run_of_appends, has_frames  # noqa: E402

CHANGES = int(os.environ.get("CHANGES", "120"))
LARGE = 600_000  # bytes: written in pieces
MOST_LOGGED = 1 << 17
GONE = 0
PATIENCE = 20  # seconds for the end of a record
BETWEEN = 0.02  # of the calls between two answers are looked at, too


def setUpModule():
    global run
    if not can_trace():
        raise AssertionError("strace cannot trace a process here")
    run = run_all.Run()
    unittest.addModuleCleanup(run.close)


def oldest(states):
    return states[0]


def is_answer(call):
    return call.name in ("sendto", "sendmsg", "write", "writev") and '"HTTP/1.1 ' in call.arguments


class Step:
    """A request: what each file that it changes may be until it is answered, and afterwards."""

    def __init__(self, during=None, after=None, is_context=False):
        self.during, self.after, self.is_context = during or {}, after or {}, is_context


class Life:
    """One process: its record, and the requests that it was sent, one after the other."""

    def __init__(self, log):
        self.log, self.tracer = log, None
        self.steps = [Step()]  # the question whether it has started


def mixture(state, other, cut):
    """The beginning of one with the end of another."""
    return state[:cut].ljust(min(cut, len(other)), b"\0") + other[cut:]


class Torn:
    """What may be there of an append until it is answered: any part of it, and zeros where nothing has come yet."""

    def __init__(self, old, new):
        self.old, self.new = old, new

    def __contains__(self, content):
        if content is NOTHING or self.old is NOTHING and content == b"":
            return self.old is NOTHING
        start = len(self.old or b"")
        return (len(content) <= len(self.new) and content[:start] == (self.old or b"")
                and all(byte in (0, whole) for byte, whole in zip(content[start:], self.new[start:])))

    def __iter__(self):
        return iter((self.old, self.new))


class Power(unittest.TestCase):
    maxDiff = None

    def begin(self, name, journal="wal", **options):
        self.folder, self.options = run.tmp / name, options
        self.folder.mkdir()
        self.database = self.folder / "data/context.db"
        self.journal = f"{self.database}-{'wal' if journal == 'wal' else 'journal'}"
        self.server = LocalFlowstore(self.folder, options, context={
            "type": "db", "options": {"type": "sqlite", "storage": str(self.database), "journal": journal}})
        self.addCleanup(self.server.stop)
        self.lives = []
        self.files = {}  # what each holds according to the answers
        self.random = random.Random(7)
        self.cuts, self.last_mark = 0, None

    def start(self, **environment):
        self.files = {name: self.server.stored(name) for name in self.files}  # the last one may have been killed
        self.lives.append(Life(self.folder / f"calls{len(self.lives)}"))
        # The search for leaks is a tracer, too, and a process has one at most.
        environment["ASAN_OPTIONS"] = "detect_leaks=0"
        self.server.start(wrapper=traced(self.lives[-1].log), **environment)
        self.lives[-1].tracer = tracer_of(self.server.process.pid)

    # ---- requests
    def note(self, reply, changes, during=None):
        """`changes` by file; `during` is what may be there until it is answered, if that is not the old or the new.
        Returns whether it was answered."""
        during = during or {name: {self.files.get(name, NOTHING), content} for name, content in changes.items()}
        self.assertIn(reply.status, (200, GONE), reply)
        self.files.update(changes)
        self.lives[-1].steps.append(Step(during, {name: {content} for name, content in changes.items()}))
        return reply.status != GONE

    def use_log(self):
        while not has_frames(self.server.root):
            self.write("log", b"x")

    def write(self, name, body):
        return self.note(self.server.write(name, body), {name: body})

    def append(self, name, body):
        old = self.files.get(name, NOTHING)
        new = (old or b"") + body
        is_logged = self.options.get("log", True) and len(body) <= MOST_LOGGED
        return self.note(self.server.append(name, body), {name: new}, None if is_logged else {name: Torn(old, new)})

    def remove(self, name):
        self.note(self.server.remove(name), {name: NOTHING})

    def remove_folder(self, folder):
        self.note(self.server.remove_folder(folder), {name: NOTHING for name in self.files if name.startswith(folder + "/")})

    def change_files(self):
        """First files in new folders among them."""
        for turn in range(CHANGES):
            there = sorted(name for name, content in self.files.items() if content is not NOTHING)
            name = f"{self.random.randrange(3)}/{self.random.randrange(2)}/file{self.random.randrange(2)}"
            body = f"{turn} ".encode() * (LARGE // 4 if turn % 5 == 0 else 10)
            chance = self.random.random()
            if there and chance < 0.15:
                self.remove(self.random.choice(there))
            elif there and chance < 0.25:
                self.remove_folder(self.random.choice(there).split("/")[0])
            elif chance < 0.6:
                self.append(name, body)
            else:
                self.write(name, body)

    def change_context(self):
        for turn in range(CHANGES // 4):
            body = json.dumps([{"key": "a", "value": f"{turn} " * 100}])
            reply = self.server.ask("POST", f"/v1/context/{PROJECT}/flow{turn % 5}", body, {"Content-Type": "application/json"})
            self.assertEqual(reply.status, 200, reply)
            self.lives[-1].steps.append(Step(is_context=True))

    # ---- what becomes of it
    def lost(self):
        """What a power cut at some moment may take, or bring back, of what had been answered."""
        self.server.stop()
        self.wait_for_record()
        disk, settled, found = Disk(self.folder), {}, []
        for life in self.lives:
            steps = iter(life.steps)
            step = next(steps)
            for call in calls(life.log):
                disk.apply(call)
                if is_answer(call):
                    settled.update(step.after)
                    if step.is_context and self.is_context_unsynced(disk):
                        found.append("context may be lost")
                    step = next(steps, Step())
                    found += self.differences(disk, oldest, f"after {call.arguments[:60]}", {**settled, **step.during})
                elif self.random.random() < BETWEEN:
                    found += self.differences(disk, self.any, f"after {call.name}({call.arguments[:120]})", {**settled, **step.during})
            settled.update(step.during)  # killed in the middle of it
            self.assertEqual(list(steps), [], "answers are missing in the record")
        print(f"{self.id()}: {self.cuts} power cuts", file=sys.stderr)
        return found[:5]

    def any(self, states):
        """Any of them, or the beginning of one with the end of another."""
        state, other = self.random.choice(states), self.random.choice(states)
        if isinstance(state, bytes) and isinstance(other, bytes) and self.random.random() < 0.5:
            return mixture(state, other, self.random.randrange(max(len(state), len(other)) + 1))
        return state

    def differences(self, disk, choose, moment, allowed):
        """Starts flowstore on what is left, and looks at what it has made of that."""
        left = disk.left(choose)
        mark = hash(frozenset(left.items()))
        if mark == self.last_mark or str(self.server.root) not in left:
            return  # as before, or the root has not been made
        self.last_mark = mark
        self.cuts += 1
        with tempfile.TemporaryDirectory(dir=run.tmp) as folder:
            lay_out(left, self.folder, folder)
            survivor = LocalFlowstore(folder, self.options)
            forget_run(survivor.root)
            forget_run_of_appends(survivor.root)
            survivor.start()
            contents = {name: survivor.stored(name) for name in allowed}
            survivor.kill()
        for name, content in contents.items():
            if content not in allowed[name]:
                yield f"{moment} {name} may be {shown(content)}, not {' or '.join(map(shown, allowed[name]))}"

    def wait_for_record(self):
        deadline = time.monotonic() + PATIENCE
        while not has_ended(self.lives[-1].tracer):
            self.assertLess(time.monotonic(), deadline, "strace has not written the end")
            time.sleep(0.02)

    def is_context_unsynced(self, disk):
        """The journal makes a transaction: written ahead, or by its end."""
        return disk.unsynced(self.journal) or (not self.journal.endswith("wal") and disk.unsynced(str(self.database)))

    # ---- tests
    def test_strict_keeps_what_was_answered(self):
        self.begin("strict")
        self.start()
        self.write("first", b"before there is a log")
        self.use_log()
        self.change_files()
        self.change_context()
        self.assertEqual(self.lost(), [])

    def test_strict_keeps_it_without_a_log(self):
        self.begin("unlogged", log=False)
        self.start()
        self.change_files()
        self.assertEqual(self.lost(), [])

    def test_strict_keeps_it_with_a_journal_that_is_deleted(self):
        self.begin("delete", journal="delete")
        self.start()
        self.change_context()
        self.assertEqual(self.lost(), [])

    def wait_for_kill(self):
        self.assertEqual(self.server.process.wait(PATIENCE), -9, self.server.logged())
        self.wait_for_record()

    def test_strict_keeps_it_after_a_kill_before_names_were_synced(self):
        self.begin("killed", log=False)
        self.start(FLOWSTORE_CRASH_AT="folder_made:2")
        self.write("folder/first", b"never answered")
        self.wait_for_kill()
        self.start(FLOWSTORE_CRASH_AT="file_published:2")
        self.write("folder/second", b"in the folder that the dead one made")
        self.append("folder/third", b"never answered")
        self.wait_for_kill()
        self.start()
        self.append("folder/third", b"to the file that the dead one made")
        self.assertEqual(self.lost(), [])

    def test_strict_keeps_it_after_a_kill_between_log_and_file(self):
        self.begin("logged")
        self.start(FLOWSTORE_CRASH_AT="log_applied:3")
        self.use_log()
        for number in range(3):
            if not self.write(f"folder/{number}", b"answered but for the last"):
                break
        self.wait_for_kill()
        self.start()
        self.write("folder/4", b"by the one that emptied the log of the dead")
        self.assertEqual(self.lost(), [])

    def test_relaxed_does_not_and_this_notices(self):
        self.begin("relaxed", durability="relaxed")
        self.start()
        self.change_files()
        self.assertNotEqual(self.lost(), [])


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
