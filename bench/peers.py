"""What the parts share: the servers they start, the client that measures them, and where it all lies."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import machine
from machine import LOAD_SET, LOAD_THREADS, SERVER_CORES, SERVER_SET

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLOWSTORE = [os.environ.get("FLOWSTORE", str(ROOT / "build/release/flowstore"))]
METRICS = {"backend": {"prometheus": {"enabled": True}}}
START_PATIENCE = 30  # seconds; Node.js on a busy machine takes some


class Failed(Exception):
    """A peer did not do the work; the message says what it did instead."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url, headers=None):
    """Until there is any answer: the oldest file servers know no /health."""
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"{url} does not answer")


class Server:
    """One peer: a running process and how its files are named."""

    def __init__(self, name, command, port, prefix="", env=None, cwd=None, log=None, token=None, method="POST"):
        self.name, self.port, self.prefix, self.token, self.method = name, port, prefix, token, method
        self.process = subprocess.Popen(
            ["taskset", "-c", SERVER_SET, *command], cwd=cwd, env={**os.environ, **(env or {})},
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True)

    @property
    def pid(self):
        return self.process.pid

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{self.prefix}{path}"

    def cpu_seconds(self):
        return machine.cpu_seconds(self.pid)

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        self.process.wait(30)


class Stage:
    """What one part works with: a folder, a log, and everything that it has started, which is stopped when it leaves."""

    def __init__(self, options):
        self.options = options
        self.started = []
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=self.options.folder or ROOT / "build"))
        self.folder.chmod(0o755)  # PostgreSQL and nginx run as other users
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.log = self._stack.enter_context(open(self.folder / "log", "ab"))
        self.platform_port = self._start_platform()
        return self

    def __exit__(self, kind, error, trace):
        if kind and kind is not KeyboardInterrupt:
            print((self.folder / "log").read_text(errors="replace")[-2000:], file=sys.stderr)
        return self._stack.__exit__(kind, error, trace)

    def keep(self, thing):
        """Something with a pid and stop(); gives it back."""
        self._stack.callback(thing.stop)
        self.started.append(thing)
        return thing

    def leaders(self):
        return {thing.pid for thing in self.started}

    def remove_at_end(self, folder):
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)

    def file_server(self, name, command, config, kind="files/team", home=None, log=None, **how):
        """Starts flowstore or the old server, which read the same configuration; waits until it answers."""
        server = self.keep(self.launch(name, command, config, kind, home, log, **how))
        wait_for(f"http://127.0.0.1:{server.port}/health")
        return server

    def launch(self, name, command, config, kind="files/team", home=None, log=None, **how):
        """The same, without waiting; the caller stops it."""
        home = home or pathlib.Path(tempfile.mkdtemp(prefix=re.sub(r"\W+", "-", name), dir=self.folder))
        (home / "etc").mkdir(parents=True, exist_ok=True)
        (home / "var").mkdir(exist_ok=True)
        port = free_port()
        defaults = {"host": "127.0.0.1", "port": port, "base_url": f"http://127.0.0.1:{self.platform_port}", "workers": SERVER_CORES,
                    "telemetry": METRICS, "logging": {"level": "warn", "http": "warn"}}
        (home / "etc/flowforge-storage.yml").write_text(json.dumps({**defaults, **config}))
        return Server(name, command, port, f"/v1/{kind}", env={"FLOWFORGE_HOME": str(home), "NODE_ENV": "production"}, cwd=home,
                      log=log or self.log, **how)

    def _start_platform(self):
        port = free_port()
        self.keep(Server("platform", [sys.executable, ROOT / "bench/fake_platform.py", str(port)], port, log=self.log))
        wait_for(f"http://127.0.0.1:{port}/account/check/project/dev", {"Authorization": "Bearer tok.dev.empty"})
        return port


def load(server, arguments, connections, seconds, env=None):
    """Runs wrk; gives rate, latencies in milliseconds, microseconds of CPU per request and the server's memory in MiB."""
    command = ["taskset", "-c", LOAD_SET, "wrk", "-t", str(min(LOAD_THREADS, connections)), "-c", str(connections),
               "-d", f"{max(1, round(seconds))}s", "--timeout", "20s", "--latency", *arguments]
    before = server.cpu_seconds()
    done = subprocess.run(command, env={**os.environ, **(env or {})}, capture_output=True, text=True)
    cpu = server.cpu_seconds() - before
    text = done.stdout
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", text)
    if errors or done.returncode != 0:
        raise Failed(errors[0] if errors else done.stderr.strip())
    requests = int(re.search(r"(\d+) requests in", text)[1])
    if requests == 0:
        raise Failed(f"no answer in {seconds} s")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    return {"value": rate, "p50": latency(text, "50%"), "p99": latency(text, "99%"), "cpu": cpu / requests * 1e6,
            "memory": machine.resident_mib(server.pid)}


def latency(text, quantile):
    """Milliseconds; None where there were too few answers for wrk to tell."""
    found = re.search(rf"^\s+{quantile}\s+([\d.]+)(us|ms|s|m)$", text, re.M)
    if not found:
        return None
    value, unit = found.groups()
    return float(value) * {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}[unit]
