#!/usr/bin/env python3
"""script/bench files: file requests against flowstore, nginx and the old server, in turn in one run.

Each cell is run for every server in every round, so that whatever else happens on the machine meets
all of them; medians, spread and ratios are printed and written to bench/results. Server and load have
cores of their own. See bench/README.md.
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOKEN = "tok.dev.empty"
CORES = os.cpu_count() or 2
SERVER_CORES = max(1, CORES // 2)
SERVER_SET = f"0-{SERVER_CORES - 1}"
LOAD_SET = f"{SERVER_CORES}-{CORES - 1}" if CORES > SERVER_CORES else "0"
LOAD_THREADS = max(1, CORES - SERVER_CORES)
TICKS = os.sysconf("SC_CLK_TCK")
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin") or "nginx"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url, headers=None):
    for _ in range(200):
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=2):
                return
        time.sleep(0.05)
    raise SystemExit(f"{url} does not answer")


class Server:
    """One peer: a running process and how its files are named."""

    def __init__(self, name, command, port, prefix, env=None, cwd=None, log=None, token=True, method="POST"):
        self.name, self.port, self.prefix, self.token, self.method = name, port, prefix, token, method
        self.process = subprocess.Popen(
            ["taskset", "-c", SERVER_SET, *command], cwd=cwd, env={**os.environ, **(env or {})},
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{self.prefix}{path}"

    def pids(self):
        children = subprocess.run(["pgrep", "-g", str(self.process.pid)], capture_output=True, text=True)
        return [int(pid) for pid in children.stdout.split()]

    def cpu_seconds(self):
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def rss_mib(self):
        pages = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                pages += int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 2**20

    def put(self, path, body):
        headers = {"Content-Type": "application/octet-stream"}
        if self.token:
            headers["Authorization"] = f"Bearer {TOKEN}"
        request = urllib.request.Request(self.url(path), data=body, method=self.method, headers=headers)
        urllib.request.urlopen(request, timeout=10).close()

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(30)


def start_flowstore(tmp, platform, durability, log):
    home = tmp / f"flowstore-{durability}"
    (home / "etc").mkdir(parents=True)
    port = free_port()
    config = {"host": "127.0.0.1", "port": port, "base_url": f"http://127.0.0.1:{platform}", "workers": SERVER_CORES,
              "driver": {"type": "localfs", "options": {"root": "var/root", "durability": durability}},
              "telemetry": {"backend": {"prometheus": {"enabled": True}}}, "logging": {"level": "warn", "http": "warn"}}
    (home / "etc/flowforge-storage.yml").write_text(json.dumps(config))
    return Server(f"flowstore {durability}", [ROOT / "build/release/flowstore"], port, "/v1/files/team/dev",
                  env={"FLOWFORGE_HOME": str(home)}, log=log)


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
    return Server("nginx", [NGINX, "-p", root, "-c", root / "nginx.conf"], port, "/dev", log=log, token=False, method="PUT")


def start_old_server(tmp, platform, command, log):
    home = tmp / "old"
    (home / "etc").mkdir(parents=True)
    (home / "var").mkdir()
    port = free_port()
    config = {"host": "127.0.0.1", "port": port, "base_url": f"http://127.0.0.1:{platform}",
              "driver": {"type": "localfs", "options": {"root": "var/root"}}, "logging": {"level": "warn", "http": "warn"}}
    (home / "etc/flowforge-storage.yml").write_text(json.dumps(config))
    return Server("old server", command, port, "/v1/files/team/dev",
                  env={"FLOWFORGE_HOME": str(home), "NODE_ENV": "production"}, cwd=home, log=log)


# cell: (name, kind, bytes); kind decides what wrk does
CELLS = [
    ("health", "health", 0),
    ("GET 1 KiB", "get", 1024), ("GET 64 KiB", "get", 65536), ("GET 1 MiB", "get", 1 << 20),
    ("POST 1 KiB", "post", 1024), ("POST 64 KiB", "post", 65536),
    ("append 100 B", "append", 100),
]


def wrk(server, kind, size, seconds, connections):
    env = dict(os.environ, SIZE=str(size), METHOD=server.method)
    command = ["taskset", "-c", LOAD_SET, "wrk", "-t", str(LOAD_THREADS), "-c", str(connections), "-d", f"{seconds}s", "--latency"]
    if kind == "health":
        command.append(f"http://127.0.0.1:{server.port}/health")
    elif kind == "get":
        if server.token:
            command += ["-H", f"Authorization: Bearer {TOKEN}"]
        command.append(server.url(f"/get-{size}"))
    else:
        if server.token:
            env["TOKEN"] = TOKEN
        if kind == "append":
            env["MODE"] = "append"
        command += ["-s", ROOT / "bench/lua/write.lua", server.url(f"/{kind}-{size}")]
    before = server.cpu_seconds()
    text = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    cpu = server.cpu_seconds() - before
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", text)
    if errors:
        raise SystemExit(f"{server.name}, {kind} {size}: {errors[0]}")
    requests = int(re.search(r"(\d+) requests in", text)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    return {"rate": rate, "p50": latency(text, "50%"), "p99": latency(text, "99%"), "cpu": cpu / max(requests, 1) * 1e6}


def latency(text, quantile):
    """Milliseconds."""
    value, unit = re.search(rf"^\s+{quantile}\s+([\d.]+)(us|ms|s|m)$", text, re.M).groups()
    return float(value) * {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}[unit]


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


def middle(rows, key):
    return statistics.median(row[key] for row in rows)


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
            spread = (max(r["rate"] for r in rows) - min(r["rate"] for r in rows)) / rate
            ratios = []
            for ours in ("flowstore strict", "flowstore relaxed"):
                own = results.get((name, ours))
                ratios.append(f"{middle(own, 'rate') / rate:.2f} x" if own and not server.name.startswith("flowstore") else "")
            lines.append(f"| {name} | {server.name} | {rate:.0f} | {spread:.0%} | {middle(rows, 'p50'):.2f} | {middle(rows, 'p99'):.2f} "
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
    options.load = os.getloadavg()[0]
    if options.load > 0.5:
        print(f"the machine is busy (load average {options.load:.1f}): trust no figure, and the ratios only roughly", file=sys.stderr)
    return options


def start_servers(servers, tmp, platform, options, log):
    """Fills `servers`, so that what runs can be stopped when one does not start."""
    servers.append(start_flowstore(tmp, platform, "strict", log))
    servers.append(start_flowstore(tmp, platform, "relaxed", log))
    servers.append(start_nginx(tmp, log))
    if options.old_server:
        servers.append(start_old_server(tmp, platform, shlex.split(options.old_server), log))
    for server in servers:
        wait_for(f"http://127.0.0.1:{server.port}/health")
        for _, kind, size in CELLS:
            if kind == "get":
                server.put(f"/get-{size}", b"x" * size)


def main():
    options = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    tmp = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=options.folder or ROOT / "build"))
    log = open(tmp / "log", "ab")
    platform = free_port()
    helper = subprocess.Popen([sys.executable, ROOT / "tests/contract/run_cases.py", "--platform-only", "--platform-port", str(platform)],
                              stdout=log, stderr=log, start_new_session=True)
    servers = []
    try:
        wait_for(f"http://127.0.0.1:{platform}/account/check/project/dev", {"Authorization": f"Bearer {TOKEN}"})
        start_servers(servers, tmp, platform, options, log)
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
        os.killpg(helper.pid, signal.SIGTERM)
        helper.wait()
        shutil.rmtree(tmp, ignore_errors=True)


if __name__ == "__main__":
    main()
