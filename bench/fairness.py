#!/usr/bin/env python3
"""script/bench fairness: what a tenant notices of another one who floods.

One tenant asks on one connection, one question after the other, alone and while the other tenant keeps
64 or more connections busy; both, without and with limits.perProject, in turn in every round. Medians
and ratios are printed and written to bench/results. See bench/README.md.
"""
import argparse
import datetime
import json
import math
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from peers import CORES, LOAD_SET, LOAD_THREADS, ROOT, SERVER_CORES, Server, free_port, measured_load, platform, wait_for

QUIET, LOUD = "quiet", "loud"
FILE = "/v1/files/team/{}/{}"
SET = json.dumps([{"key": "k", "value": 1}]).encode()
# name -> method, path, body
PROBES = {
    "write": ("POST", FILE.format(QUIET, "a"), b"x" * 1024),
    "read": ("GET", FILE.format(QUIET, "a"), b""),
    "set": ("POST", f"/v1/context/{QUIET}/flow", SET),
}
# name -> the same, of wrk
FLOODS = {
    "writes of 1 KiB": ("POST", FILE.format(LOUD, "f"), "x" * 1024),
    "reads of 1 MiB": ("GET", FILE.format(LOUD, "big"), ""),
    "context sets": ("POST", f"/v1/context/{LOUD}/flow", SET.decode()),
}
SCRIPT = """
local thread_number = 0
function setup(thread) thread:set("id", thread_number) thread_number = thread_number + 1 end
local turn = 0
function request()
  turn = turn % 256 + 1
  local path = wrk.path
  if wrk.path:sub(-2) == "/f" then path = path .. id .. "-" .. turn end
  return wrk.format(nil, path)
end
"""


def token(project):
    return f"tok.{project}.empty"


def head(method, path, project, body):
    kind = "application/json" if path.startswith("/v1/context") else "application/octet-stream"
    content = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n" if method == "POST" else ""
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token(project)}\r\n{content}\r\n".encode()


class Client:
    """One connection that asks and waits, so that it measures what one caller notices."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method, path, body, project=QUIET):
        """Seconds until the whole answer was there."""
        started = time.perf_counter()
        self.socket.sendall(head(method, path, project, body) + body)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.more()
        top, _, rest = data.partition(b"\r\n\r\n")
        if not top.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"{method} {path}: {data[:300]!r}")
        length = int(re.search(rb"content-length: (\d+)", top, re.I)[1])
        left = length - len(rest)
        while left > 0:
            left -= len(self.more())
        return time.perf_counter() - started

    def more(self):
        piece = self.socket.recv(1 << 16)
        if not piece:
            raise SystemExit("the server closed the connection of the quiet tenant")
        return piece


def start(name, limit, tmp, platform_port, log):
    home = tmp / name.replace(" ", "-")
    (home / "etc").mkdir(parents=True)
    port = free_port()
    config = {"host": "127.0.0.1", "port": port, "base_url": f"http://127.0.0.1:{platform_port}", "workers": SERVER_CORES,
              "driver": {"type": "localfs", "options": {"root": "var/root"}},
              "context": {"type": "db", "options": {"type": "sqlite"}}, "limits": {"perProject": limit},
              "logging": {"level": "warn", "http": "warn"}}
    (home / "etc/flowforge-storage.yml").write_text(json.dumps(config))
    return Server(name, [ROOT / "build/release/flowstore"], port, "", env={"FLOWFORGE_HOME": str(home)}, log=log)


def flood(server, kind, connections, seconds, script):
    method, path, body = FLOODS[kind]
    text = f'wrk.method = "{method}"\nwrk.body = {json.dumps(body) if body else "nil"}\n' + SCRIPT
    script.write_text(text)
    content = "application/json" if path.startswith("/v1/context") else "application/octet-stream"
    command = ["taskset", "-c", LOAD_SET, "wrk", "-t", str(LOAD_THREADS), "-c", str(connections), "-d", f"{seconds}s",
               "--timeout", "20s", "-s", script, "-H", f"Authorization: Bearer {token(LOUD)}", "-H", f"Content-Type: {content}",
               f"http://127.0.0.1:{server.port}{path}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def probe(server, kind, seconds):
    """Latencies of the quiet tenant in milliseconds, sorted."""
    client = Client(server.port)
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        times.append(client.ask(*PROBES[kind]) * 1000)
    client.socket.close()
    return sorted(times)


def chosen(kind, options):
    return [asked for asked in PROBES if re.search(options.only, f"{asked} beside {kind}")]


def quantile(times, part):
    return times[min(len(times) - 1, math.ceil(part * len(times)) - 1)]


def measure(servers, options, script):
    """(probe, flood or None, server) -> rows of p50, p99 and the rate of the flood, one per round."""
    results = {}

    def add(key, times, rate=0.0):
        results.setdefault(key, []).append((quantile(times, 0.5), quantile(times, 0.99), rate))

    for number in range(1, options.rounds + 1):
        for server in servers:
            for asked in PROBES:
                add((asked, None, server.name), probe(server, asked, options.seconds))
        for kind in FLOODS:
            for server in servers:
                for asked in chosen(kind, options):
                    load = flood(server, kind, options.connections, options.seconds + 1, script)
                    time.sleep(0.5)  # the flood is up
                    times = probe(server, asked, options.seconds)
                    text = load.communicate()[0]
                    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
                    errors = re.search(r"Non-2xx.*|Socket errors.*", text)
                    add((asked, kind, server.name), times, rate)
                    print(f"round {number}  {asked:6} beside {kind:16} {server.name:16} p99 {quantile(times, 0.99):8.2f} ms   "
                          f"flood {rate:8.0f}/s {errors[0] if errors else ''}", flush=True)
    return results


def report(results, servers, options):
    middle = lambda key, field: statistics.median(row[field] for row in results[key])
    lines = ["# script/bench fairness", "",
             f"{datetime.date.today()}, {CORES} cores ({SERVER_CORES} for the server; the flood and the quiet tenant share the others), "
             f"flood of {options.connections} connections, rounds: {options.rounds}, {options.seconds} s each, medians; "
             f"load average before: {options.load:.1f}. localfs strict, SQLite.", "",
             "| quiet tenant | flood | server | p50 ms alone | p99 alone | p50 beside | p99 beside | p99 ratio | flood/s |",
             "|---|---|---|---:|---:|---:|---:|---:|---:|"]
    for asked in PROBES:
        for kind in FLOODS:
            for server in servers:
                if asked not in chosen(kind, options):
                    continue
                alone, beside = (asked, None, server.name), (asked, kind, server.name)
                lines.append(f"| {asked} | {kind} | {server.name} | {middle(alone, 0):.2f} | {middle(alone, 1):.2f} | {middle(beside, 0):.2f} "
                             f"| {middle(beside, 1):.2f} | {middle(beside, 1) / middle(alone, 1):.1f} x | {middle(beside, 2):.0f} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(prog="script/bench fairness")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=int(os.environ.get("BENCH_SECONDS", "4")), help="of each measurement")
    parser.add_argument("--connections", type=int, default=64, help="of the flood")
    parser.add_argument("--limits", type=lambda text: [int(n) for n in text.split(",")], default=[0, 16], help="limits.perProject of each server")
    parser.add_argument("--only", default="", help="regular expression on 'PROBE beside FLOOD'; nothing is written to bench/results")
    parser.add_argument("--quick", action="store_true", help="nothing is written to bench/results")
    options = parser.parse_args()
    options.load = measured_load()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    tmp = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=ROOT / "build"))
    log = open(tmp / "log", "ab")
    servers = []
    try:
        with platform(log) as port:
            for limit in options.limits:
                servers.append(start(f"perProject {limit}", limit, tmp, port, log))
            for server in servers:
                wait_for(f"http://127.0.0.1:{server.port}/health")
                client = Client(server.port)
                for kind in PROBES:
                    if PROBES[kind][0] == "POST":
                        client.ask(*PROBES[kind])
                client.ask("POST", FILE.format(LOUD, "big"), b"x" * (1 << 20), LOUD)
            text = report(measure(servers, options, tmp / "flood.lua"), servers, options)
        print("\n" + text)
        if not options.quick and not options.only:
            target = ROOT / "bench/results" / f"{datetime.date.today()}-fairness.md"
            target.write_text(text)
            print(f"written to {target.relative_to(ROOT)}")
    except Exception:
        print((tmp / "log").read_text(errors="replace")[-2000:], file=sys.stderr)
        raise
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(tmp, ignore_errors=True)


if __name__ == "__main__":
    main()
