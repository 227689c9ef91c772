"""Small and middle files: flowstore beside nginx, the old server, and what sockets and disk give at most."""
import os
import pathlib
import subprocess
import tempfile
import time

from client import Client
from machine import SERVER_CORES
from nginx import start_nginx
from peers import FLOWSTORE, ROOT, Server, Stage, free_port, load, wait_for
from rounds import Cell

ABOUT = ("64 connections. flowstore: tokens, metrics and security headers on, strict; *relaxed* does not wait for the disk; *all on* also "
         "writes the JSON request log. nginx: static files and DAV PUT, no log, no tokens, not durable. raw epoll: a loop that answers with "
         "the bytes of flowstore's answer. disk: 64 bodies written and synced together, over and over in one file, without a server.")
TOKEN = "tok.dev.empty"
CONNECTIONS = 64
SIZES = {"1 KiB": 1024, "64 KiB": 65536, "1 MiB": 1 << 20}
SMALL = ("1 KiB", "64 KiB")
APPENDED = 100
TMPFS = pathlib.Path("/dev/shm")
SCRATCH = 64 << 20  # bytes of the file that the disk is measured with
ONE_PROJECT = {"perProject": 0}  # one project is all there is


def flowstore(stage, name, folder, log=None, **changes):
    """With files below `folder`; `changes` are of the configuration."""
    options = {"root": str(folder / name.replace(" ", "-")), **changes.pop("options", {})}
    config = {"driver": {"type": "localfs", "options": options}, "limits": ONE_PROJECT, **changes}
    return stage.file_server(name, FLOWSTORE, config, "files/team/dev", log=log, token=TOKEN)


def old_server(stage, command):
    config = {"driver": {"type": "localfs", "options": {"root": "var/root"}}}
    return stage.file_server("old server", command, config, "files/team/dev", token=TOKEN)


class Epoll:
    """raw_epoll with the answer of a server to one path."""

    name = "raw epoll"

    def __init__(self, stage, server, path):
        answer = tempfile.NamedTemporaryFile(dir=stage.folder, delete=False)
        with answer, Client(server.port, server.token) as client:
            answer.write(client.answer(path))
        port = free_port()
        self.server = stage.keep(Server(self.name, [ROOT / "build/raw_epoll", str(port), str(SERVER_CORES), answer.name], port, log=stage.log))
        wait_for(f"http://127.0.0.1:{port}/")


class Disk:
    """The disk alone: as many bodies as there are clients, and one wait for all of them, in a loop."""

    name = "disk"

    def __init__(self, folder):
        self.path = folder / "disk"
        self.path.write_bytes(os.urandom(1 << 20) * (SCRATCH >> 20))
        os.sync()

    def write(self, size, seconds):
        body, at, count = os.urandom(size) * CONNECTIONS, 0, 0
        file = os.open(self.path, os.O_WRONLY)
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            at = at + len(body) if at + 2 * len(body) <= SCRATCH else 0
            os.pwrite(file, body, at)
            os.fdatasync(file)
            count += CONNECTIONS
        taken = time.monotonic() - begun
        os.close(file)
        return {"value": count / taken}


def wrk_get(server, path, seconds, clients=CONNECTIONS):
    token = ["-H", f"Authorization: Bearer {server.token}"] if server.token else []
    return load(server, [*token, server.url(path)], clients, seconds)


def wrk_write(server, path, size, seconds, mode=None, clients=CONNECTIONS, names=256):
    env = {"SIZE": str(size), "METHOD": server.method, "FILES": str(names)}
    if server.token:
        env["TOKEN"] = server.token
    if mode:
        env["MODE"] = mode
    return load(server, ["-s", ROOT / "bench/lua/write.lua", server.url(path)], clients, seconds, env)


def read_cells(stage, strict, others, all_on):
    seconds = stage.options.seconds
    health = Epoll(stage, strict, "/health")

    def ask_health(peer, _):
        server = getattr(peer, "server", peer)
        return load(server, [f"http://127.0.0.1:{server.port}/health"], CONNECTIONS, seconds)

    yield Cell("smallest answer", [strict, *others, health], ask_health)
    for name, size in SIZES.items():
        for server in (strict, all_on, *others):
            with Client(server.port, server.token) as client:
                client.ask(server.method, f"{server.prefix}/get-{size}", bytes(size))
        epoll = Epoll(stage, strict, f"{strict.prefix}/get-{size}")
        peers = [strict, *([all_on] if name == "1 KiB" else []), *others, epoll]
        yield Cell(f"GET {name}", peers, lambda peer, _, size=size: wrk_get(getattr(peer, "server", peer), f"/get-{size}", seconds))


def write_cells(stage, strict, relaxed, others, disk):
    seconds = stage.options.seconds

    def cell(work, size, peers, mode=None):
        def run(peer, _):
            return peer.write(size, seconds) if peer is disk else wrk_write(peer, f"/{mode or 'post'}-{size}", size, seconds, mode)
        return Cell(work, peers, run, is_writing=True)

    for name in SMALL:
        yield cell(f"POST {name}", SIZES[name], [strict, relaxed, *others, disk])
    yield cell("append 100 B", APPENDED, [strict, relaxed, *(peer for peer in others if peer.name != "nginx"), disk], "append")


def memory_cells(stage):
    """Where waiting for a disk costs nothing."""
    if not os.access(TMPFS, os.W_OK):
        return
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=TMPFS))
    stage.remove_at_end(folder)
    folder.chmod(0o755)
    peers = [flowstore(stage, "flowstore", folder), start_nginx(stage, folder)]
    for name in SMALL:
        yield Cell(f"POST {name} on tmpfs", peers, lambda peer, _, size=SIZES[name]: wrk_write(peer, f"/post-{size}", size, stage.options.seconds))


def cells(stage: Stage):
    subprocess.run(["g++", "-std=c++20", "-O2", ROOT / "bench/raw_epoll.cpp", "-o", ROOT / "build/raw_epoll"], check=True)
    request_log = open(stage.folder / "request-log", "ab")
    strict = flowstore(stage, "flowstore", stage.folder)
    relaxed = flowstore(stage, "flowstore relaxed", stage.folder, options={"durability": "relaxed"})
    all_on = flowstore(stage, "flowstore, all on", stage.folder, log=request_log, logging={"level": "info", "http": "info"})
    others = [start_nginx(stage, stage.folder)]
    if stage.options.old_server:
        others.append(old_server(stage, stage.options.old_server))
    yield from read_cells(stage, strict, others, all_on)
    for server in (strict, relaxed, all_on, *others):  # connections and Node.js' compiler are warm in the first round, too
        if server is not relaxed:
            wrk_get(server, "/get-1024", 1)
    yield from write_cells(stage, strict, relaxed, others, Disk(stage.folder))
    yield from memory_cells(stage)
