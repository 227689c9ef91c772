#!/usr/bin/env python3
"""script/soak: flowstore under a load that does not end.

Files and context of a thousand projects at about 70 % of what was measured to be possible; then ten
thousand open connections, a thousand of them active; then a thousand instances that start in the same
second. Fails on any wrong answer, on descriptors that are not given back, and on memory that keeps
growing. Runs the binary named by FLOWSTORE (default build/release/flowstore).
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from client import Latencies
from server import Server

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FLOWSTORE = os.environ.get("FLOWSTORE", str(ROOT / "build/release/flowstore"))
LOADS = 2  # processes that make the mixed load
SHARE = 0.7  # of the capacity
# Of the memory from the first half after the warm-up to the last quarter: allocators and caches take
# a little more for long, a leak of a byte per request is more than this in half an hour.
GROWTH, GROWTH_MIB = 1.05, 8
SPARE_DESCRIPTORS = 8  # of timers, logs and connections to the platform that come and go
# Three for each reader of the database, of which there are at most as many as the pool has threads.
DATABASE_DESCRIPTORS = 3 * 32 + 16


class Soak:
    def __init__(self, options, tmp):
        self.options, self.tmp = options, tmp
        self.problems, self.lines = [], []
        self.children = []

    def check(self, is_well, problem):
        if not is_well:
            self.problems.append(problem)
            print("PROBLEM: " + problem, flush=True)

    def say(self, line):
        print(line, flush=True)
        self.lines.append(line)

    def child(self, program, **options):
        words = [word for name, value in options.items() for word in ([f"--{name}"] if value is True else [f"--{name}", str(value)])]
        process = subprocess.Popen([sys.executable, HERE / program, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.children.append(process)
        return process

    def result(self, process):
        """What the program says at its end."""
        text = process.communicate(timeout=600)[0]
        if process.returncode != 0 or not text.strip():
            raise SystemExit(f"{process.args[1].name} ended with {process.returncode}")
        found = json.loads(text.strip().splitlines()[-1])
        for error in found["errors"]:
            self.check(False, error)
        return found

    # ------------------------------------------------------------ files and context
    def load(self, seconds, rate, server, watch=None, fill=None):
        """Runs the mixed load; latencies by kind."""
        share = self.options.projects // LOADS
        more = {"fill": True} if fill else {}
        processes = [self.child("mixed.py", port=server.port, projects=f"{i * share}-{(i + 1) * share}", seconds=seconds,
                                rate=rate / LOADS, **more) for i in range(LOADS)]
        while any(process.poll() is None for process in processes):
            if watch:
                watch()
            time.sleep(1)
        total = {}
        for process in processes:
            for kind, counts in self.result(process)["latencies"].items():
                total.setdefault(kind, Latencies()).merge(Latencies(counts))
        return total

    def mixed(self, server):
        self.load(1, 0, server, fill=True)
        burst = max(3, min(20, self.options.minutes * 6))
        before = time.monotonic()
        capacity = sum(times.count for times in self.load(burst, 0, server).values()) / (time.monotonic() - before)
        rate = SHARE * capacity
        idle = server.settled(0, patience=3)
        self.rested = idle.descriptors
        self.say(f"Capacity with {LOADS} clients of 32 connections: {capacity:.0f} requests/s; the load is {rate:.0f}/s.")
        samples, started = [], time.monotonic()

        def watch():
            sample = server.sample()
            samples.append(sample)
            if len(samples) % max(1, int(self.options.minutes)) == 0:
                print(f"  {sample.time - started:6.0f} s  RSS {sample.rss_mib:7.1f} MiB  descriptors {sample.descriptors:4}"
                      f" + {sample.database:3} of the database  threads {sample.threads}", flush=True)

        latencies = self.load(self.options.minutes * 60, rate, server, watch)
        self.tell_latencies(latencies, time.monotonic() - started)
        self.judge(server, idle, samples)

    def tell_latencies(self, latencies, seconds):
        count = sum(times.count for times in latencies.values())
        self.say("")
        self.say(f"{count} requests in {seconds:.0f} s, {count / seconds:.0f}/s, wrong answers: {len(self.problems)}.")
        self.say("")
        self.say("| request | count | p50 ms | p99 ms | p99.9 ms |\n|---|---:|---:|---:|---:|")
        for kind, times in sorted(latencies.items()):
            self.say(f"| {kind} | {times.count} | " + " | ".join(f"{times.quantile_ms(part):.2f}" for part in (0.5, 0.99, 0.999)) + " |")
        self.say("")

    def judge(self, server, idle, samples):
        after = server.settled(idle.descriptors)
        self.say(f"Descriptors with all connections closed: {idle.descriptors} before, {after.descriptors} after; of the database "
                 f"{after.database}. Threads: {idle.threads} before, {max(s.threads for s in samples)} at most, {after.threads} after.")
        self.check(after.descriptors <= idle.descriptors + SPARE_DESCRIPTORS, "descriptors were not given back")
        self.check(after.database <= DATABASE_DESCRIPTORS, f"the database has {after.database} files open")
        self.check(after.threads <= idle.threads, "threads were not given back")
        # The first quarter is the warm-up.
        quarter = max(1, len(samples) // 4)
        early = statistics.median(s.rss_mib for s in samples[quarter:2 * quarter] or samples)
        late = statistics.median(s.rss_mib for s in samples[-quarter:])
        self.say(f"RSS: {early:.1f} MiB in the second quarter, {late:.1f} MiB in the last, {max(s.rss_mib for s in samples):.1f} at most.")
        self.check(late <= early * GROWTH + GROWTH_MIB, f"memory keeps growing: {early:.1f} -> {late:.1f} MiB")

    # ------------------------------------------------------------ connections
    def crowd(self, server):
        """As many connections as were asked for and as the limit of descriptors lets the two processes have."""
        room = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 500
        count = min(self.options.connections, room)
        active = count // 10
        seconds = int(max(5, min(60, self.options.minutes * 10)))
        before = server.sample()
        crowd = self.child("idle.py", port=server.port, count=count, active=active,
                           projects=self.options.projects, seconds=seconds)
        is_open = crowd.stdout.readline().strip() == "open"
        self.check(is_open, "the connections could not be opened")
        if not is_open:
            return
        opened = server.sample()
        result = self.result(crowd)
        times, final = Latencies(result["active"]), Latencies(result["all"])
        self.say("")
        self.say(f"{count} connections: {(opened.rss_mib - before.rss_mib) * 1024 / count:.1f} KiB of memory each while idle "
                 f"(RSS {before.rss_mib:.0f} -> {opened.rss_mib:.0f} MiB). {active} of them active: {times.count / seconds:.0f} requests/s, "
                 f"p50 {times.quantile_ms(0.5):.1f} ms, p99 {times.quantile_ms(0.99):.1f} ms. Every one answered at the end: {final.count}.")
        self.check(final.count == count, f"{count - final.count} connections were not served")
        # A server that has rested for long has fewer than one that has just served somebody.
        rested = max(before.descriptors, self.rested)
        after = server.settled(rested)
        self.check(after.descriptors <= rested + SPARE_DESCRIPTORS,
                   f"descriptors of the crowd were not given back: {rested} before, {after.descriptors} after")

    # ------------------------------------------------------------ the herd
    def herd(self, server, platform_port):
        """The cache of tokens is cold: the server has just started."""
        count = self.options.projects
        asked(platform_port)
        result = self.result(self.child("herd.py", port=server.port, count=count))
        times, questions = Latencies(result["latencies"]), asked(platform_port)
        self.say("")
        self.say(f"{count} instances in the same second, {3 * count} requests: answered in {result['seconds']:.2f} s, p50 {times.quantile_ms(0.5):.0f} ms, "
                 f"p99 {times.quantile_ms(0.99):.0f} ms; the platform was asked {questions} times.")
        self.check(times.count == 3 * count, f"{3 * count - times.count} requests of the herd had no good answer")
        self.check(questions <= count, f"the platform was asked {questions} times about {count} projects")

    def run(self):
        ports = [free_port(), free_port()]
        platform = subprocess.Popen([sys.executable, HERE / "platform.py", str(ports[1])])
        self.children.append(platform)
        wait_for_platform(ports[1])
        server = Server(FLOWSTORE, self.tmp / "home", ports[0], ports[1])
        server.start()
        self.children.append(server.process)
        self.mixed(server)
        self.crowd(server)
        self.check(server.metric("flowstore_unexpected_exceptions_total") == 0, "a handler threw")
        self.check(server.stop() == 0, "the server did not end well")
        server.start()
        self.children.append(server.process)
        self.herd(server, ports[1])
        self.check(server.stop() == 0, "the server did not end well")
        if self.problems:
            print(server.logged())

    def close(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def asked(port):
    """How often the platform was asked since the last time."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/asked", timeout=10) as response:
        return int(response.read())


def wait_for_platform(port):
    for _ in range(200):
        with contextlib.suppress(OSError):
            asked(port)
            return
        time.sleep(0.05)
    raise SystemExit("the platform does not answer")


def main():
    parser = argparse.ArgumentParser(prog="script/soak")
    parser.add_argument("--minutes", type=float, default=30, help="of the mixed load (default 30)")
    parser.add_argument("--projects", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=10_000, help="that are open at the same time")
    parser.add_argument("--report", help="a file for the report, in Markdown")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    tmp = pathlib.Path(tempfile.mkdtemp(prefix="flowstore-soak-"))
    soak = Soak(options, tmp)
    try:
        load = os.getloadavg()[0]
        soak.say(f"# script/soak\n\n{datetime.date.today()}, {os.cpu_count()} cores for server and clients together, load average before: {load:.1f}; "
                 f"{options.minutes:g} minutes, {options.projects} projects, localfs strict, SQLite.\n")
        soak.run()
    finally:
        soak.close()
        shutil.rmtree(tmp, ignore_errors=True)
    soak.say("")
    soak.say("Problems: " + ("; ".join(soak.problems) if soak.problems else "none") + ".")
    if options.report:
        pathlib.Path(options.report).write_text("\n".join(soak.lines) + "\n")
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())
