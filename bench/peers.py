"""What the benchmarks share: running peers, measuring them with wrk, and the fake platform."""
import contextlib
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORES = os.cpu_count() or 2
SERVER_CORES = max(1, CORES // 2)
SERVER_SET = f"0-{SERVER_CORES - 1}"
LOAD_SET = f"{SERVER_CORES}-{CORES - 1}" if CORES > SERVER_CORES else "0"
LOAD_THREADS = max(1, CORES - SERVER_CORES)
TICKS = os.sysconf("SC_CLK_TCK")


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

    def __init__(self, name, command, port, prefix, env=None, cwd=None, log=None, token=None, method="POST"):
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

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(30)


def load(server, arguments, connections, seconds, env=None):
    """Runs wrk; gives rate, latencies in milliseconds and microseconds of CPU per request."""
    command = ["taskset", "-c", LOAD_SET, "wrk", "-t", str(min(LOAD_THREADS, connections)), "-c", str(connections),
               "-d", f"{seconds}s", "--timeout", "20s", "--latency", *arguments]
    before = server.cpu_seconds()
    text = subprocess.run(command, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=True).stdout
    cpu = server.cpu_seconds() - before
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", text)
    if errors:
        raise SystemExit(f"{server.name}, {arguments[-1]}: {errors[0]}")
    requests = int(re.search(r"(\d+) requests in", text)[1])
    if requests == 0:
        raise SystemExit(f"{server.name}, {arguments[-1]}: no answer in {seconds} s")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    return {"rate": rate, "p50": latency(text, "50%"), "p99": latency(text, "99%"), "cpu": cpu / max(requests, 1) * 1e6}


def latency(text, quantile):
    """Milliseconds; not a number where there were too few answers for wrk to tell."""
    found = re.search(rf"^\s+{quantile}\s+([\d.]+)(us|ms|s|m)$", text, re.M)
    if not found:
        return float("nan")
    value, unit = found.groups()
    return float(value) * {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}[unit]


def middle(rows, key):
    return statistics.median(row[key] for row in rows)


def spread(rows):
    return (max(r["rate"] for r in rows) - min(r["rate"] for r in rows)) / middle(rows, "rate")


@contextlib.contextmanager
def platform(log):
    """fake_platform.py; yields its port."""
    port = free_port()
    helper = subprocess.Popen([sys.executable, ROOT / "bench/fake_platform.py", str(port)], stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(f"http://127.0.0.1:{port}/account/check/project/dev", {"Authorization": "Bearer tok.dev.empty"})
        yield port
    finally:
        os.killpg(helper.pid, signal.SIGTERM)
        helper.wait()


def measured_load():
    """The load average before anything is started; says so where it is too high."""
    before = os.getloadavg()[0]
    if before > 0.5:
        print(f"the machine is busy (load average {before:.1f}): trust no figure, and the ratios only roughly", file=sys.stderr)
    return before
