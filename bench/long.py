"""Bodies of 1 GiB, one at a time: speed beside nginx, and how much memory they take."""
import os
import time

import machine
from client import Client
from files import flowstore
from nginx import start_nginx
from rounds import Cell

ABOUT = ("One connection. *growth* is the most that a server was resident with meanwhile, less what it was before. disk: the same bytes "
         "written to a file and synced, without a server. The old server refuses such bodies.")
SIZE, QUICK_SIZE = 1 << 30, 1 << 28
PIECE = 1 << 20


class File:
    """The disk alone."""

    name = "disk"

    def __init__(self, folder):
        self.path = folder / "long"

    def write(self, size):
        piece, begun = bytes(PIECE), time.monotonic()
        with open(self.path, "wb", buffering=0) as file:
            for _ in range(size // PIECE):
                file.write(piece)
            os.fdatasync(file.fileno())
        taken = time.monotonic() - begun
        self.path.unlink()
        return {"value": size / taken / 2**20}


def transfer(server, size, work):
    """`work(client)` moves so many bytes and says how long it took."""
    before, cpu = machine.most_resident_mib(server.pid, anew=True), server.cpu_seconds()
    with Client(server.port, server.token) as client:
        seconds = work(client)
    return {"value": size / seconds / 2**20, "p50": seconds * 1000, "growth": machine.most_resident_mib(server.pid) - before,
            "cpu": (server.cpu_seconds() - cpu) * 1e6, "memory": machine.resident_mib(server.pid)}


def cells(stage):
    size = QUICK_SIZE if stage.options.quick else SIZE
    strict = flowstore(stage, "flowstore", stage.folder)
    relaxed = flowstore(stage, "flowstore relaxed", stage.folder, options={"durability": "relaxed"})
    nginx, disk = start_nginx(stage, stage.folder), File(stage.folder)

    def upload(peer, _):
        if peer is disk:
            return disk.write(size)
        return transfer(peer, size, lambda client: client.upload(peer.method, f"{peer.prefix}/long", size))

    def download(peer, _):
        return transfer(peer, size, lambda client: client.ask("GET", f"{peer.prefix}/long"))

    yield Cell("upload 1 GiB", [strict, relaxed, nginx, disk], upload, unit="MiB/s", is_writing=True)
    yield Cell("download 1 GiB", [strict, nginx], download, unit="MiB/s")
