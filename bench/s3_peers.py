"""The peers of script/bench s3: a store, flowstore and the old server in front of it, and raw_s3, the client of all of them.

Stores and databases run on one half of the cores, as if on other machines; servers and the client
share the other half.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import time

from peers import LOAD_SET, ROOT, SERVER_CORES, SERVER_SET, TICKS, Server, free_port, wait_for

sys.path.insert(0, str(ROOT / "tests/s3"))
from s3_client import S3  # noqa: E402

STORE_SET, CLIENT_SET = LOAD_SET, SERVER_SET
KEY, SECRET, BUCKET, REGION = "testkey", "testsecret", "test", "us-east-1"
CLIENT = ROOT / "build/raw_s3"
PROJECTS = 64  # q0 to q63, with a quota; p0 to p2 have none
QUOTA = 1_000_000_000


class Store:
    """Ceph with its gateway, everything in memory."""

    def __init__(self, folder, log, has_nagle=False):
        folder.mkdir(parents=True)
        self.folder = folder / "ceph"
        self.process = subprocess.Popen(
            ["taskset", "-c", STORE_SET, sys.executable, ROOT / "tests/s3/engine.py", "run", "--dir", folder, *(["--nagle"] if has_nagle else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise SystemExit("the S3 store did not start")
        self.bucket = S3(self.url, BUCKET, KEY, SECRET)

    def pids(self):
        return group(self.process.pid)

    def drop_garbage(self):
        """Ceph keeps the rest of replaced large objects for hours, and here all of it is memory."""
        subprocess.run(["radosgw-admin", "-c", self.folder / "ceph.conf", "-n", "client.rgw", "gc", "process", "--include-all"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)


class Peer:
    """What the client asks: a store directly, or a server in front of it."""

    def __init__(self, name, store, server=None):
        self.name, self.store, self.server = name, store, server

    def pids(self):
        return self.server.pids() if self.server else []

    def environment(self, has_quota):
        if not self.server:
            return {"S3_KEY": KEY, "S3_SECRET": SECRET}
        return {"TOKEN": token("q{p}" if has_quota else "p0", has_quota)}

    def url(self, path, has_quota):
        project = "q{p}" if has_quota else "p0"
        place = self.server.url("") if self.server else f"{self.store.url}/{BUCKET}/team"
        return f"{place}/{project}/{path}"


def token(project, has_quota):
    return f"tok.{project}.q{QUOTA}-n" if has_quota else f"tok.{project}.empty"


def driver(store):
    return {"type": "s3", "options": {"bucket": BUCKET, "region": REGION, "endpoint": store.url, "forcePathStyle": True,
                                      "credentials": {"accessKeyId": KEY, "secretAccessKey": SECRET}}}


def start(name, command, home, log, config, env=None):
    (home / "etc").mkdir(parents=True)
    (home / "var").mkdir()
    port = free_port()
    config = {"host": "127.0.0.1", "port": port, "logging": {"level": "warn", "http": "warn"},
              "telemetry": {"backend": {"prometheus": {"enabled": True}}}, **config}
    (home / "etc/flowforge-storage.yml").write_text(json.dumps(config))
    server = Server(name, command, port, "/v1/files/team", env={"FLOWFORGE_HOME": str(home), **(env or {})}, cwd=home, log=log)
    try:
        wait_for(f"http://127.0.0.1:{port}/health")
    except BaseException:
        server.stop()
        raise
    return server


def start_flowstore(name, store, home, log, database=None):
    tokens = [{"token": token(f"p{i}", False), "project": f"p{i}"} for i in range(3)]
    tokens += [{"token": token(f"q{i}", True), "project": f"q{i}", "quota": {"file": QUOTA}} for i in range(PROJECTS)]
    config = {"driver": driver(store), "workers": SERVER_CORES, "auth": {"type": "static", "tokens": tokens}}
    if database:
        config["context"] = {"type": "db", "options": database}
    return Peer(name, store, start(name, [ROOT / "build/release/flowstore"], home, log, config))


def start_old_server(name, store, home, log, command, platform_port):
    config = {"driver": driver(store), "base_url": f"http://127.0.0.1:{platform_port}"}
    return Peer(name, store, start(name, command, home, log, config, env={"NODE_ENV": "production"}))


def build_client():
    CLIENT.parent.mkdir(exist_ok=True)
    subprocess.run(["g++", "-std=c++20", "-O2", ROOT / "bench/raw_s3.cpp", "-o", CLIENT, "-lcurl", "-lcrypto"], check=True)


def run_client(peer, kind, path, size, connections, seconds, count=0, names=1, has_quota=False):
    """Requests by raw_s3; gives rate, times in milliseconds, microseconds of the server's CPU per request, and in `foreign` how
    many cores others had meanwhile."""
    env = {**os.environ, "NAMES": str(names), "PROJECTS": str(PROJECTS if has_quota else 1), **peer.environment(has_quota)}
    own = [*peer.pids(), *peer.store.pids()]
    server, others, begun = cpu_of(peer.pids()), busy() - cpu_of(own) - used_by_children(), time.monotonic()
    done = subprocess.run(["taskset", "-c", CLIENT_SET, CLIENT, kind, peer.url(path, has_quota), str(size), str(connections), str(seconds),
                           str(count)], env=env, capture_output=True, text=True)
    taken = time.monotonic() - begun
    if done.returncode != 0:
        raise RuntimeError(f"{peer.name}, {kind} {path}: {done.stderr.strip()}")
    rate, p50, p99, requests = map(float, done.stdout.split())
    return {"rate": rate, "p50": p50, "p99": p99, "requests": requests, "cpu": (cpu_of(peer.pids()) - server) / requests * 1e6,
            "foreign": max(0.0, busy() - cpu_of(own) - used_by_children() - others) / taken}


# ---- what the processes of this machine have used, in seconds of a core
def group(leader):
    return [int(pid) for pid in subprocess.run(["pgrep", "-g", str(leader)], capture_output=True, text=True).stdout.split()]


def cpu_of(pids):
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def used_by_children():
    times = os.times()
    return times.children_user + times.children_system + times.user + times.system


def busy():
    """All processes of the machine; interrupts are nobody's."""
    user, nice, system = map(int, pathlib.Path("/proc/stat").read_text().split()[1:4])
    return (user + nice + system) / TICKS


def most_memory(peer, anew=False):
    """The most MiB that the server has had resident; counted from now on if `anew`."""
    pid = max(peer.pids(), key=lambda pid: int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]))
    if anew:
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
    return int(re.search(r"^VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1]) / 1024
