#!/usr/bin/env python3
"""script/bench files: file requests against flowstore, nginx and the old server, in turn in one run.

Each cell is run for every server in every round, so that whatever else happens on the machine meets
all of them; medians, spread and ratios are printed and written to bench/results. Server and load have
cores of their own. See bench/README.md.
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
import sys
import tempfile
import urllib.request

from peers import (CORES, LOAD_THREADS, ROOT, SERVER_CORES, Server, free_port, load, measured_load, middle, platform, spread,
                   wait_for)

TOKEN = "tok.dev.empty"
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin") or "nginx"


def put(server, path, body):
    headers = {"Content-Type": "application/octet-stream"}
    if server.token:
        headers["Authorization"] = f"Bearer {server.token}"
    request = urllib.request.Request(server.url(path), data=body, method=server.method, headers=headers)
    urllib.request.urlopen(request, timeout=10).close()


def start_flowstore(tmp, platform_port, durability, log):
    home = tmp / f"flowstore-{durability}"
    (home / "etc").mkdir(parents=True)
    port = free_port()
    config = {"host": "127.0.0.1", "port": port, "base_url": f"http://127.0.0.1:{platform_port}", "workers": SERVER_CORES,
              "driver": {"type": "localfs", "options": {"root": "var/root", "durability": durability}},
              "limits": {"perProject": 0},  # one project is all there is
              "telemetry": {"backend": {"prometheus": {"enabled": True}}}, "logging": {"level": "warn", "http": "warn"}}
    (home / "etc/flowforge-storage.yml").write_text(json.dumps(config))
    return Server(f"flowstore {durability}", [ROOT / "build/release/flowstore"], port, "/v1/files/team/dev",
                  env={"FLOWFORGE_HOME": str(home)}, log=log, token=TOKEN)


def start_nginx(tmp, log):
    root = tmp / "nginx"
    (root / "www/dev").mkdir(parents=True)
    root.chmod(0o755)
    port = free_port()
    (root / "nginx.conf").write_text(f"""
daemon off; worker_processes {SERVER_CORES}; pid {root}/pid; error_log {root}/error.log; user root;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; client_max_body_size 0;
  client_body_temp_path {root}/body; default_type application/octet-stream;
  server {{ listen 127.0.0.1:{port} reuseport backlog=4096; root {root}/www; location / {{ dav_methods PUT; create_full_put_path on; }}
    location = /health {{ return 200 '{{"statusCode":200,"status":"ok"}}'; }} }}
}}
""")
    return Server("nginx", [NGINX, "-p", root, "-c", root / "nginx.conf"], port, "/dev", log=log, method="PUT")


def start_old_server(tmp, platform_port, command, log):
    home = tmp / "old"
    (home / "etc").mkdir(parents=True)
    (home / "var").mkdir()
    port = free_port()
    config = {"host": "127.0.0.1", "port": port, "base_url": f"http://127.0.0.1:{platform_port}",
              "driver": {"type": "localfs", "options": {"root": "var/root"}}, "logging": {"level": "warn", "http": "warn"}}
    (home / "etc/flowforge-storage.yml").write_text(json.dumps(config))
    return Server("old server", command, port, "/v1/files/team/dev",
                  env={"FLOWFORGE_HOME": str(home), "NODE_ENV": "production"}, cwd=home, log=log, token=TOKEN)


# cell: (name, kind, bytes); kind decides what wrk does
CELLS = [
    ("health", "health", 0),
    ("GET 1 KiB", "get", 1024), ("GET 64 KiB", "get", 65536), ("GET 1 MiB", "get", 1 << 20),
    ("POST 1 KiB", "post", 1024), ("POST 64 KiB", "post", 65536),
    ("append 100 B", "append", 100),
]


def wrk(server, kind, size, seconds, connections):
    env = {"SIZE": str(size), "METHOD": server.method}
    if kind == "health":
        arguments = [f"http://127.0.0.1:{server.port}/health"]
    elif kind == "get":
        token = ["-H", f"Authorization: Bearer {TOKEN}"] if server.token else []
        arguments = [*token, server.url(f"/get-{size}")]
    else:
        if server.token:
            env["TOKEN"] = TOKEN
        if kind == "append":
            env["MODE"] = "append"
        arguments = ["-s", ROOT / "bench/lua/write.lua", server.url(f"/{kind}-{size}")]
    return load(server, arguments, connections, seconds, env)


def applies(server, kind):
    """Whether a cell says something about this server."""
    if server.name == "nginx":
        return kind != "append"  # it cannot
    if server.name == "flowstore relaxed":
        return kind in ("post", "append")  # reading does not depend on the durability
    return True


def measure(servers, options):
    """Rows per (cell, server): what each round measured."""
    cells = [cell for cell in CELLS if not options.only or re.search(options.only, cell[0])]
    for server in servers:  # connections, caches and Node.js' compiler are warm in the first round, too
        wrk(server, "get", 1024, 1, options.connections)
    results = {}
    for round_number in range(1, options.rounds + 1):
        for name, kind, size in cells:
            for server in servers:
                if not applies(server, kind):
                    continue
                result = wrk(server, kind, size, options.seconds, options.connections)
                results.setdefault((name, server.name), []).append(result)
                print(f"round {round_number}  {name:13} {server.name:18} {result['rate']:10.0f}/s", flush=True)
    return results


def report(results, servers, options):
    lines = ["# script/bench files", "",
             f"{datetime.date.today()}, {CORES} cores ({SERVER_CORES} for the server, {LOAD_THREADS} for wrk), "
             f"{options.connections} connections, rounds: {options.rounds}, {options.seconds} s each, medians; "
             f"load average before: {options.load:.1f}. "
             "nginx: static files and DAV PUT, no log, no tokens, not durable. flowstore: tokens, metrics and security headers on.", "",
             "| work | server | requests/s | spread | p50 ms | p99 ms | CPU us/request | flowstore strict is | flowstore relaxed is |",
             "|---|---|---:|---:|---:|---:|---:|---:|---:|"]
    for name, _, _ in CELLS:
        for server in servers:
            rows = results.get((name, server.name))
            if not rows:
                continue
            rate = middle(rows, "rate")
            ratios = []
            for ours in ("flowstore strict", "flowstore relaxed"):
                own = results.get((name, ours))
                ratios.append(f"{middle(own, 'rate') / rate:.2f} x" if own and not server.name.startswith("flowstore") else "")
            lines.append(f"| {name} | {server.name} | {rate:.0f} | {spread(rows):.0%} | {middle(rows, 'p50'):.2f} | {middle(rows, 'p99'):.2f} "
                         f"| {middle(rows, 'cpu'):.1f} | {ratios[0]} | {ratios[1]} |")
    lines += ["", "Memory after the run (RSS, MiB): " + ", ".join(f"{s.name} {s.rss_mib():.0f}" for s in servers) + "."]
    return "\n".join(lines) + "\n"


def parse_arguments():
    parser = argparse.ArgumentParser(prog="script/bench files")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=int(os.environ.get("BENCH_SECONDS", "2")), help="of each measurement")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", help="regular expression on the work's name; nothing is written to bench/results")
    parser.add_argument("--old-server", default=os.environ.get("OLD_SERVER"), metavar="COMMAND", help="starts FlowFuse's file server")
    parser.add_argument("--folder", help="where the files lie; default a temporary folder beside the build, on its disk")
    options = parser.parse_args()
    options.load = measured_load()
    return options


def start_servers(servers, tmp, platform_port, options, log):
    """Fills `servers`, so that what runs can be stopped when one does not start."""
    servers.append(start_flowstore(tmp, platform_port, "strict", log))
    servers.append(start_flowstore(tmp, platform_port, "relaxed", log))
    servers.append(start_nginx(tmp, log))
    if options.old_server:
        servers.append(start_old_server(tmp, platform_port, shlex.split(options.old_server), log))
    for server in servers:
        wait_for(f"http://127.0.0.1:{server.port}/health")
        for _, kind, size in CELLS:
            if kind == "get":
                put(server, f"/get-{size}", b"x" * size)


def main():
    options = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    tmp = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=options.folder or ROOT / "build"))
    log = open(tmp / "log", "ab")
    servers = []
    try:
        with platform(log) as port:
            start_servers(servers, tmp, port, options, log)
            text = report(measure(servers, options), servers, options)
        print("\n" + text)
        if not options.only:
            target = ROOT / "bench/results" / f"{datetime.date.today()}-files.md"
            target.parent.mkdir(exist_ok=True)
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
