#!/usr/bin/env python3
"""script/bench context: the context store against the old server and against the bare database, in turn in one run.

SQLite and PostgreSQL, one client and many. See bench/README.md.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request

from peers import (CORES, LOAD_THREADS, ROOT, SERVER_CORES, SERVER_SET, Server, free_port, load, measured_load, middle, platform,
                   spread, wait_for)
from postgres import Postgres

QUOTA = "qn-1000000000"  # in force, and out of reach; of a token for each project, because the old server keeps one answer for each
WARM_SECONDS = 1
PROJECTS = 200
SCOPES = 20

# cell: (name, kind, bytes, whether it writes)
CELLS = [
    ("set key", "set", 1024, True),
    ("get key", "get", 1024, False),
    ("keys", "keys", 1024, False),
    ("cache page of 20", "page", 1024, False),
    ("cache write 1 KiB", "write", 1024, True),
    ("cache write 64 KiB", "write", 65536, True),
    ("cache write 512 KiB", "write", 524288, True),
]


def start(name, command, tmp, platform_port, database, log):
    home = tmp / re.sub(r"\W", "-", name)
    (home / "etc").mkdir(parents=True)
    (home / "var").mkdir()
    port = free_port()
    config = {"host": "127.0.0.1", "port": port, "base_url": f"http://127.0.0.1:{platform_port}", "workers": SERVER_CORES,
              "driver": {"type": "memory", "options": {}}, "logging": {"level": "error", "http": "error"},
              "context": {"type": "db", "options": database}}
    (home / "etc/flowforge-storage.yml").write_text(json.dumps(config))
    return Server(name, command, port, "/v1/context", env={"FLOWFORGE_HOME": str(home), "NODE_ENV": "production"}, cwd=home, log=log)


def fill(server, projects):
    """Twenty scopes of about 1 KiB in each project."""
    values = {f"k{i}": {"b": i, "name": f"sensor {i}", "values": [1.5, 2.25, i, None, True], "at": "2026-11-23T12:00:00.000Z"}
              for i in range(10)}
    body = json.dumps(values).encode()
    for project in range(1, projects + 1):
        headers = {"Authorization": f"Bearer tok.project{project}.{QUOTA}", "Content-Type": "application/json"}
        for scope in range(SCOPES):
            url = server.url(f"/project{project}/cache/flow{scope}")
            urllib.request.urlopen(urllib.request.Request(url, data=body, method="POST", headers=headers), timeout=20).close()


def projects_for(server, is_write):
    # The old server stands still for a minute when more than four projects write at once.
    return 1 if is_write and server.name.startswith("old") else PROJECTS


def measure(servers, options):
    cells = [cell for cell in CELLS if not options.only or re.search(options.only, cell[0])]
    results = {}
    for round_number in range(1, options.rounds + 1):
        for name, kind, size, is_write in cells:
            for connections in options.connections:
                for server in servers:
                    env = {"KIND": kind, "SIZE": str(size), "PROJECTS": str(projects_for(server, is_write)), "QUOTA": QUOTA}
                    arguments = ["-s", ROOT / "bench/lua/context.lua", f"http://127.0.0.1:{server.port}/"]
                    # A server asks the platform about a token when it was idle for a while: not in what is measured.
                    load(server, arguments, max(options.connections), WARM_SECONDS, {**env, "KIND": "keys"})
                    result = load(server, arguments, connections, options.seconds, env)
                    results.setdefault((name, connections, server.name), []).append(result)
                    print(f"round {round_number}  {name:20} {connections:3} clients  {server.name:20} {result['rate']:10.0f}/s", flush=True)
    return results


def measure_raw(databases, options):
    """Rows per second of the bare statements, by database and size."""
    program = ROOT / "build" / "raw_context"
    subprocess.run(["g++", "-std=c++20", "-O2", "-I/usr/include/postgresql", ROOT / "bench/raw_context.cpp", "-o", program, "-lsqlite3", "-lpq"],
                   check=True)
    rates = {}
    for name, kind, size, _ in CELLS:
        if kind != "write" or (options.only and not re.search(options.only, name)):
            continue
        for database, place in databases.items():
            text = subprocess.run(["taskset", "-c", SERVER_SET, program, database, place, str(size), str(options.seconds)],
                                  check=True, capture_output=True, text=True).stdout
            rates[(name, database)] = float(text)
            print(f"raw      {name:20} {database:20} {float(text):10.0f}/s", flush=True)
    return rates


def report(results, raw, servers, options):
    lines = ["# script/bench context", "",
             f"{datetime.date.today()}, {CORES} cores ({SERVER_CORES} for server and database, {LOAD_THREADS} for wrk), rounds: {options.rounds}, "
             f"{options.seconds} s each, medians; load average before: {options.load:.1f}. {PROJECTS} projects with {SCOPES} scopes of 1 KiB; quotas "
             "on; SQLite with synchronous=FULL, PostgreSQL with its durable defaults. The old server writes to one project only: with more "
             "than four at once it stands still. Raw: the same updates in a loop without a server (SQLite 64 in a transaction, 4 of the large ones; "
             "PostgreSQL 8 connections, up to 8 in a transaction).", "",
             "| work | clients | server | requests/s | spread | p50 ms | p99 ms | flowstore is | raw is |",
             "|---|---:|---|---:|---:|---:|---:|---:|---:|"]
    for name, _, _, _ in CELLS:
        for connections in options.connections:
            for server in servers:
                rows = results.get((name, connections, server.name))
                if not rows:
                    continue
                rate = middle(rows, "rate")
                database = server.name.split()[-1]
                ratio, bare = "", ""
                if server.name.startswith("old"):
                    own = results.get((name, connections, f"flowstore {database}"))
                    ratio = f"{middle(own, 'rate') / rate:.1f} x" if own else ""
                elif (name, database) in raw and connections > 1:
                    bare = f"{raw[(name, database)]:.0f}/s; flowstore {rate / raw[(name, database)]:.2f} x"
                lines.append(f"| {name} | {connections} | {server.name} | {rate:.0f} | {spread(rows):.0%} | {middle(rows, 'p50'):.2f} "
                             f"| {middle(rows, 'p99'):.2f} | {ratio} | {bare} |")
    lines += ["", "Memory after the run (RSS, MiB): " + ", ".join(f"{s.name} {s.rss_mib():.0f}" for s in servers) + "."]
    return "\n".join(lines) + "\n"


def parse_arguments():
    parser = argparse.ArgumentParser(prog="script/bench context")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=int(os.environ.get("BENCH_SECONDS", "2")), help="of each measurement")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 64])
    parser.add_argument("--only", help="regular expression on the work's name; nothing is written to bench/results")
    parser.add_argument("--old-server", default=os.environ.get("OLD_SERVER"), metavar="COMMAND", help="starts FlowFuse's file server")
    parser.add_argument("--folder", help="where the databases lie; default a temporary folder beside the build, on its disk")
    options = parser.parse_args()
    options.load = measured_load()
    return options


def main():
    options = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    tmp = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=options.folder or ROOT / "build"))
    tmp.chmod(0o755)  # PostgreSQL runs as another user
    log = open(tmp / "log", "ab")
    running = []
    try:
        postgres = Postgres(tmp, log)
        running.append(postgres)
        with platform(log) as port:
            ours = ROOT / "build/release/flowstore"
            peers = [("flowstore sqlite", [ours], {"type": "sqlite"}), ("flowstore postgres", [ours], postgres.database("flowstore"))]
            if options.old_server:
                old = shlex.split(options.old_server)
                peers += [("old sqlite", old, {"type": "sqlite"}), ("old postgres", old, postgres.database("old"))]
            servers = []
            for name, command, database in peers:
                servers.append(start(name, command, tmp, port, database, log))
                running.append(servers[-1])
                wait_for(f"http://127.0.0.1:{servers[-1].port}/health")
                fill(servers[-1], PROJECTS)
            results = measure(servers, options)
            conninfo = f"host=127.0.0.1 port={postgres.port} dbname={'old' if options.old_server else 'flowstore'} user=postgres"
            raw = measure_raw({"sqlite": str(tmp / "raw.db"), "postgres": conninfo}, options)
            text = report(results, raw, servers, options)
        print("\n" + text)
        if not options.only:
            target = ROOT / "bench/results" / f"{datetime.date.today()}-context.md"
            target.parent.mkdir(exist_ok=True)
            target.write_text(text)
            print(f"written to {target.relative_to(ROOT)}")
    except Exception:
        print((tmp / "log").read_text(errors="replace")[-2000:], file=sys.stderr)
        raise
    finally:
        for process in reversed(running):
            process.stop()
        shutil.rmtree(tmp, ignore_errors=True)


if __name__ == "__main__":
    main()
