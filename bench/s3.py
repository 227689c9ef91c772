#!/usr/bin/env python3
"""script/bench s3: flowstore on an S3 store, beside a plain client of the same store and the old server, in turn in one run.

The store is Ceph's gateway, as in tests/s3. Also: how much memory long bodies take, and exactly what
each request asks of the store and of PostgreSQL. See bench/README.md.
"""
import argparse
import contextlib
import datetime
import os
import pathlib
import re
import shlex
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field

import s3_memory
import s3_requests
from peers import CORES, ROOT, SERVER_CORES, measured_load, middle, platform, spread
from postgres import Postgres
from s3_peers import STORE_SET, Peer, Store, build_client, run_client, start_flowstore, start_old_server

MOST_FOREIGN = 0.25  # cores that others may use; beyond it a measurement is made again
TRIES = 4
COUNTED_SECONDS = 60  # the most that a measurement of so many requests takes
KIB, MIB = 1 << 10, 1 << 20


@dataclass
class Cell:
    """What is measured. `goals`: the part of the plain client's rate to reach, by connections."""
    name: str
    kind: str
    size: int
    connections: tuple
    names: int = 256
    count: int = 0  # requests; 0: as many as there is time for
    goals: dict = field(default_factory=dict)
    peers: str = "plain"
    first: int = None  # the size of the file that is appended to
    has_quota: bool = False


CELLS = [
    Cell("PUT 100 B", "put", 100, (1, 16), goals={1: 0.75, 16: 0.85}),
    Cell("GET 100 B", "get", 100, (1, 16), goals={1: 0.75, 16: 0.85}),
    Cell("PUT 1 KiB", "put", KIB, (1, 16)),
    Cell("GET 1 KiB", "get", KIB, (1, 16)),
    Cell("PUT 1 MiB", "put", MIB, (1, 8), names=32, goals={1: 0.8, 8: 0.8}),
    Cell("GET 1 MiB", "get", MIB, (1, 8), names=32, goals={1: 0.7, 8: 0.7}),
    Cell("PUT 64 MiB", "put", 64 * MIB, (1,), names=2, count=6, peers="large"),  # the old server refuses it
    Cell("GET 64 MiB", "get", 64 * MIB, (1,), names=2, count=6),
    Cell("append 100 B, from 0", "append", 100, (1,), names=1, count=200),
    Cell("append 100 B to 1 MiB", "append", 100, (1,), names=1, count=100, first=MIB),
    Cell("append 100 B by 16 to one file", "append", 100, (16,), names=1, count=480, peers="servers"),
    Cell("PUT 100 B with a quota", "put", 100, (1, 16), peers="quota", has_quota=True),
    Cell("GET 100 B, gateway without tcp_nodelay", "get", 100, (1, 16), peers="nagle", goals={1: 10, 16: 10}),
]


def start_all(stack, tmp, log, options):
    """The peers of each kind of cell."""
    def started(thing):
        stack.callback(thing.stop)
        return thing

    def server(peer):
        stack.callback(peer.server.stop)
        return peer

    port = stack.enter_context(platform(log))
    store, nagle = started(Store(tmp / "store", log)), started(Store(tmp / "nagle", log, has_nagle=True))
    database = started(Postgres(tmp, log, STORE_SET)).database("flowstore")
    plain = [Peer("libcurl", store), server(start_flowstore("flowstore", store, tmp / "flowstore", log))]
    without_nodelay = [Peer("libcurl", nagle), server(start_flowstore("flowstore", nagle, tmp / "flowstore-nagle", log))]
    shared = server(start_flowstore("flowstore with PostgreSQL", store, tmp / "flowstore-shared", log, database))
    if options.old_server:
        command = shlex.split(options.old_server)
        plain.append(server(start_old_server("old server", store, tmp / "old", log, command, port)))
        without_nodelay.append(server(start_old_server("old server", nagle, tmp / "old-nagle", log, command, port)))
    return {"plain": plain, "servers": plain[1:], "large": plain[:2], "quota": [*plain[:2], shared, *plain[2:]],
            "nagle": without_nodelay}


def measure_once(peer, cell, connections, options, number):
    path = f"{cell.kind}-{cell.size}-{{n}}"
    if cell.kind == "append":
        path = f"{peer.name.replace(' ', '-')}/{cell.first}-{connections}-{number}"
        if cell.first is not None:
            peer.store.bucket.put(f"team/p0/{path}", b"x" * cell.first)
    seconds = COUNTED_SECONDS if cell.count else options.seconds
    result = run_client(peer, cell.kind, path, cell.size, connections, seconds, cell.count, cell.names, cell.has_quota)
    if cell.kind == "append":
        kept = len(peer.store.bucket.get(f"team/p0/{path}")) - (cell.first or 0)
        result["lost"] = 1 - kept / (result["requests"] * cell.size)
    return result


def measure_cell(peer, cell, connections, options, number):
    """Again where others have used the machine meanwhile."""
    for attempt in range(TRIES):
        result = measure_once(peer, cell, connections, options, f"{number}-{attempt}")
        if result["foreign"] <= MOST_FOREIGN:
            break
        time.sleep(2)
    return result


def measure(peers, cells, options):
    for cell in cells:  # the files to read; and connections, caches and Node.js' compiler are warm in the first round, too
        for peer in peers[cell.peers]:
            if cell.kind == "get" and not peer.server:
                run_client(peer, "put", f"get-{cell.size}-{{n}}", cell.size, 1, COUNTED_SECONDS, cell.names, cell.names)
            if cell.kind != "append":
                measure_once(peer, cell, cell.connections[-1], argparse.Namespace(seconds=1), "warm")
    results = {}
    for number in range(1, options.rounds + 1):
        for cell in cells:
            for connections in cell.connections:
                for peer in peers[cell.peers]:
                    result = measure_cell(peer, cell, connections, options, number)
                    results.setdefault((cell.name, connections, peer.name), []).append(result)
                    print(f"round {number}  {cell.name:40} {connections:3}  {peer.name:26} {result['rate']:9.1f}/s "
                          f"(others {result['foreign']:.2f} cores)", flush=True)
        peers["plain"][0].store.drop_garbage()
    return results


def goal_text(cell, connections, ratio):
    goal = cell.goals.get(connections)
    if goal is None:
        return ""
    return f"{goal} x: {'reached' if ratio >= goal else 'missed'}"


def report(results, cells, peers, options):
    foreign = [row["foreign"] for rows in results.values() for row in rows]
    lines = ["# script/bench s3", "",
             f"{datetime.date.today()}, {CORES} cores ({CORES - SERVER_CORES} for the store and PostgreSQL, {SERVER_CORES} for server and "
             f"client), rounds: {options.rounds}, {options.seconds} s each or a fixed number of requests, medians; load average before: "
             f"{options.load:.1f}, meanwhile others had {middle([{'f': f} for f in foreign], 'f'):.2f} cores in the median and "
             f"{max(foreign):.2f} at most. Store: Ceph's RADOS Gateway over memory, on this machine. libcurl: the same client on the store "
             "itself; its append is a GET and a PUT without a condition.", "",
             "| work | connections | server | requests/s | spread | p50 ms | p99 ms | CPU us/request | rate / libcurl's | goal |",
             "|---|---:|---|---:|---:|---:|---:|---:|---:|---|"]
    for cell in cells:
        for connections in cell.connections:
            lines += cell_lines(cell, connections, results, peers[cell.peers])
    lines += [""] + [line for cell in cells for line in losses(cell, results, peers[cell.peers])]
    return "\n".join(lines) + "\n"


def cell_lines(cell, connections, results, peers):
    plain = results.get((cell.name, connections, "libcurl"))
    for peer in peers:
        rows = results[(cell.name, connections, peer.name)]
        ratio = middle(rows, "rate") / middle(plain, "rate") if plain and peer.server else None
        goal = goal_text(cell, connections, ratio) if peer.name == "flowstore" else ""
        cpu = f"{middle(rows, 'cpu'):.0f}" if peer.server else ""
        yield (f"| {cell.name} | {connections} | {peer.name} | {middle(rows, 'rate'):.4g} | {spread(rows):.0%} | {middle(rows, 'p50'):.2f} "
               f"| {middle(rows, 'p99'):.2f} | {cpu} | {f'{ratio:.2f}' if ratio else ''} | {goal} |")


def losses(cell, results, peers):
    """Appends that were answered and are not in the file."""
    for connections in cell.connections:
        for peer in peers:
            rows = results[(cell.name, connections, peer.name)]
            if cell.kind == "append" and max(row["lost"] for row in rows) > 0:
                yield f"- {cell.name}: {middle(rows, 'lost'):.0%} of what {peer.name} answered with 200 is not in the file."


def parse_arguments():
    parser = argparse.ArgumentParser(prog="script/bench s3")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("BENCH_SECONDS", "2")), help="of each measurement")
    parser.add_argument("--only", help="regular expression on the work's name, or on 'memory' and 'requests'; writes no result")
    parser.add_argument("--old-server", default=os.environ.get("OLD_SERVER"), metavar="COMMAND", help="starts FlowFuse's file server")
    options = parser.parse_args()
    options.load = measured_load()
    return options


def is_wanted(name, options):
    return not options.only or re.search(options.only, name)


def run(tmp, log, options):
    cells = [cell for cell in CELLS if is_wanted(cell.name, options)]
    parts = []
    with contextlib.ExitStack() as stack:
        peers = start_all(stack, tmp, log, options)
        if is_wanted("requests", options):
            parts.append(s3_requests.report(peers["quota"][1], peers["quota"][2]))
        if cells:
            parts.insert(0, report(measure(peers, cells, options), cells, peers, options))
        if is_wanted("memory", options):
            parts.append(s3_memory.report(peers["servers"]))
    return "\n".join(parts)


def main():
    options = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    build_client()
    tmp = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=ROOT / "build"))
    tmp.chmod(0o755)  # PostgreSQL runs as another user
    try:
        with open(tmp / "log", "ab") as log:
            text = run(tmp, log, options)
        print("\n" + text)
        if not options.only:
            target = ROOT / "bench/results" / f"{datetime.date.today()}-s3.md"
            target.parent.mkdir(exist_ok=True)
            target.write_text(text)
            print(f"written to {target.relative_to(ROOT)}")
    except Exception:
        print((tmp / "log").read_text(errors="replace")[-2000:], file=sys.stderr)
        raise
    finally:
        shutil.rmtree(tmp, ignore_errors=True)


if __name__ == "__main__":
    main()
