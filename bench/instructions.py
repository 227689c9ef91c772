#!/usr/bin/env python3
"""script/bench instructions: how many instructions the release build needs for a request.

Valgrind counts them, so that the figure hardly depends on what else the machine does. A figure that is
more than 5 % above the one of bench/instructions.json fails; --record writes new ones. See
bench/README.md.
"""
import argparse
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))
from flowstore import TOKEN, LocalFlowstore, file_path  # noqa: E402

RECORD = ROOT / "bench/instructions.json"
ALLOWED_GROWTH = 0.05
WARM_UP = 300  # requests, until caches and tables have what they will have
REQUESTS = 1000
FILE_BYTES = 1024

# What wrk sends, so that figures here and rates there are of the same work.
HEAD = f"Host: 127.0.0.1:3001\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
CASES = {
    "health": "GET /health HTTP/1.1\r\nHost: 127.0.0.1:3001\r\n\r\n",
    "get 1 KiB": f"GET {file_path('small')} HTTP/1.1\r\n{HEAD}",
}


class Client:
    """One connection, one request after the other."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)

    def ask(self, request, times):
        for _ in range(times):
            self.socket.sendall(request)
            self.read_answer()

    def read_answer(self):
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.receive()
        head, _, body = data.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"not the answer that is measured: {head[:200]!r}")
        missing = int(re.search(rb"content-length: (\d+)", head)[1]) - len(body)
        while missing > 0:
            missing -= len(self.receive())

    def receive(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise SystemExit("the server has closed the connection")
        return data

    def close(self):
        self.socket.close()


def openat2(folder):
    """bench/openat2.c as a library."""
    library = pathlib.Path(folder) / "openat2.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, ROOT / "bench/openat2.c"], check=True)
    return str(library)


def counted(store):
    """Instructions since the last time it was asked."""
    control = ["callgrind_control", str(store.process.pid)]
    before = set(store.home.glob("counts.*"))
    subprocess.run([*control, "--dump"], check=True, capture_output=True)
    dumps = set(store.home.glob("counts.*")) - before
    return sum(int(re.search(r"^(?:totals|summary): (\d+)", dump.read_text(), re.M)[1]) for dump in dumps)


def measure(folder, keep):
    """Instructions per request of each case; `keep` is a folder for Callgrind's profiles, or none."""
    store = LocalFlowstore(folder, logging={"level": "warn", "http": "warn"}, workers=1,
                           telemetry={"backend": {"prometheus": {"enabled": True}}})
    profile = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/counts", "--dump-instr=no"]
    figures = {}
    try:
        store.start(wrapper=profile, LD_PRELOAD=openat2(folder))
        store.write("small", b"x" * FILE_BYTES)
        client = Client(store.port)
        for name, text in CASES.items():
            request = text.encode()
            client.ask(request, WARM_UP)
            counted(store)
            client.ask(request, REQUESTS)
            figures[name] = round(counted(store) / REQUESTS)
            keep_newest(folder, name, keep)
        client.close()
        store.stop()
    finally:
        if store.process and store.process.poll() is None:
            store.kill()
    return figures


def keep_newest(folder, name, keep):
    if keep:
        newest = max(pathlib.Path(folder).glob("counts.*"), key=lambda path: path.stat().st_mtime_ns)
        (pathlib.Path(keep) / f"{name.replace(' ', '-')}.callgrind").write_bytes(newest.read_bytes())


def compiler():
    """The compiler of the release build: the figures are its work, too."""
    cache = (ROOT / "build/release/CMakeCache.txt").read_text()
    command = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.M)[1]
    return subprocess.run([command, "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]


def report(figures, recorded):
    """Prints the figures beside the recorded ones; the cases that have grown too much."""
    grown = []
    for name, now in figures.items():
        before = recorded["instructions"].get(name)
        if before is None:
            print(f"{name:12} {now:8}")
            continue
        print(f"{name:12} {now:8}   recorded {before:8}   {now / before - 1:+.1%}")
        if now > before * (1 + ALLOWED_GROWTH):
            grown.append(name)
    return grown


def main():
    parser = argparse.ArgumentParser(prog="script/bench instructions")
    parser.add_argument("--record", action="store_true", help="write the figures to bench/instructions.json")
    parser.add_argument("--profiles", metavar="FOLDER", help="keep what Callgrind wrote, for callgrind_annotate")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flowstore-bench-") as folder:
        figures = measure(folder, options.profiles)
    if options.record:
        RECORD.write_text(json.dumps({"compiler": compiler(), "instructions": figures}, indent=2) + "\n")
    recorded = json.loads(RECORD.read_text())
    grown = report(figures, recorded)
    if recorded["compiler"] != compiler():
        print(f"recorded with {recorded['compiler']}, measured with {compiler()}: no comparison")
        return 0
    if grown:
        print("more instructions than recorded: " + ", ".join(grown) +
              "; find out why, or record the new figures and say why in the commit")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
