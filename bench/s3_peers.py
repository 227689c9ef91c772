"""The peers of script/bench s3: a store, flowstore and the old server in front of it, and raw_s3, the client of all of them.

Stores and databases run on one half of the cores, as if on other machines; servers and the client
share the other half.
"""
import os
import subprocess
import sys

import machine
from machine import LOAD_SET, SERVER_SET
from peers import FLOWSTORE, ROOT, Failed

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

    @property
    def pid(self):
        return self.process.pid

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

    def cpu_seconds(self):
        return self.server.cpu_seconds() if self.server else 0

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


def start_flowstore(stage, name, store, database=None):
    tokens = [{"token": token(f"p{i}", False), "project": f"p{i}"} for i in range(3)]
    tokens += [{"token": token(f"q{i}", True), "project": f"q{i}", "quota": {"file": QUOTA}} for i in range(PROJECTS)]
    config = {"driver": driver(store), "auth": {"type": "static", "tokens": tokens}}
    if database:
        config["context"] = {"type": "db", "options": database}
    return Peer(name, store, stage.file_server(name, FLOWSTORE, config))


def start_old_server(stage, name, store, command):
    return Peer(name, store, stage.file_server(name, command, {"driver": driver(store)}))


def build_client():
    CLIENT.parent.mkdir(exist_ok=True)
    subprocess.run(["g++", "-std=c++20", "-O2", ROOT / "bench/raw_s3.cpp", "-o", CLIENT, "-lcurl", "-lcrypto"], check=True)


def run_client(peer, kind, path, size, connections, seconds, count=0, names=1, has_quota=False):
    """Requests by raw_s3; gives rate, times in milliseconds, microseconds of the server's CPU per request, its memory, and how many
    requests there were."""
    env = {**os.environ, "NAMES": str(names), "PROJECTS": str(PROJECTS if has_quota else 1), **peer.environment(has_quota)}
    before = peer.cpu_seconds()
    done = subprocess.run(["taskset", "-c", CLIENT_SET, CLIENT, kind, peer.url(path, has_quota), str(size), str(connections), str(seconds),
                           str(count)], env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(done.stderr.strip()[-200:])
    rate, p50, p99, requests = map(float, done.stdout.split())
    row = {"value": rate, "p50": p50, "p99": p99, "requests": requests}
    if peer.server:
        row["cpu"] = (peer.cpu_seconds() - before) / requests * 1e6
        row["memory"] = machine.resident_mib(peer.server.pid)
    return row
