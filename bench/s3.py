"""Files in an S3 store: flowstore beside a plain client of the same store and the old server.

The store is Ceph's gateway, as in tests/s3. Also: how much memory long bodies take, and exactly what
each request asks of the store and of PostgreSQL.
"""
from dataclasses import dataclass

import machine
import s3_requests
from postgres import Postgres
from rounds import Cell
from s3_peers import STORE_SET, Peer, Store, build_client, run_client, start_flowstore, start_old_server

ABOUT = ("Store: Ceph's RADOS Gateway over memory, on this machine; stores and PostgreSQL have one half of the cores, servers and the client "
         "the other. libcurl: the same client on the store itself; its append is a GET and a PUT without a condition. *growth* is the most "
         "that a server was resident with meanwhile, less what it was before.")
COUNTED_SECONDS = 60  # the most that a measurement of so many requests takes
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass
class Work:
    """`connections`: one cell for each; `count` requests, or as many as there is time for; `peers` names who does it."""
    name: str
    kind: str
    size: int
    connections: tuple
    names: int = 256
    count: int = 0
    peers: str = "plain"
    first: int = None  # the size of the file that is appended to
    has_quota: bool = False
    is_long: bool = False  # the memory that it takes is what matters

    def path(self):
        return f"{self.kind}-{self.size}-{{n}}"

    def seconds(self, options):
        return COUNTED_SECONDS if self.count else options.seconds


WORKS = [
    Work("PUT 100 B", "put", 100, (1, 16)),
    Work("GET 100 B", "get", 100, (1, 16)),
    Work("PUT 1 MiB", "put", MIB, (1, 8), names=32),
    Work("GET 1 MiB", "get", MIB, (1, 8), names=32),
    Work("append 100 B, from 0", "append", 100, (1,), names=1, count=100),
    Work("append 100 B to 1 MiB", "append", 100, (1,), names=1, count=50, first=MIB),
    Work("append 100 B by 16 to one file", "append", 100, (16,), names=1, count=480, peers="servers"),
    Work("PUT 100 B with a quota", "put", 100, (16,), peers="quota", has_quota=True),
    Work("GET 100 B, gateway without tcp_nodelay", "get", 100, (1, 16), peers="nagle"),
    # The old server refuses long bodies, and takes 2 GiB of memory for reading one of 1 GiB.
    Work("PUT of 1 GiB", "put", GIB, (1,), names=1, count=1, peers="flowstore", is_long=True),
    Work("GET of 1 GiB", "get", GIB, (1,), names=1, count=1, peers="flowstore", is_long=True),
]


def start_all(stage):
    """The peers of each kind of work."""
    store, nagle = stage.keep(Store(stage.folder / "store", stage.log)), stage.keep(Store(stage.folder / "nagle", stage.log, has_nagle=True))
    database = stage.keep(Postgres(stage.folder, stage.log, STORE_SET)).database("flowstore")
    plain = [Peer("libcurl", store), start_flowstore(stage, "flowstore", store)]
    without_nodelay = [Peer("libcurl", nagle), start_flowstore(stage, "flowstore", nagle)]
    shared = start_flowstore(stage, "flowstore with PostgreSQL", store, database)
    if stage.options.old_server:
        plain.append(start_old_server(stage, "old server", store, stage.options.old_server))
        without_nodelay.append(start_old_server(stage, "old server", nagle, stage.options.old_server))
    return {"plain": plain, "servers": plain[1:], "flowstore": plain[1:2], "quota": [*plain[:2], shared, *plain[2:]],
            "nagle": without_nodelay}


def prepare(work, peers, options):
    """The files to read; and connections, caches and Node.js' compiler are warm in the first round, too."""
    for peer in peers:
        if work.kind == "get" and (work.is_long or not peer.server):
            run_client(peer, "put", work.path(), work.size, 1, COUNTED_SECONDS, work.names, work.names)
        if not work.count:
            run_client(peer, work.kind, work.path(), work.size, work.connections[-1], 1, 0, work.names, work.has_quota)


def run(work, connections, peer, label, options):
    path = work.path()
    if work.kind == "append":
        path = f"{peer.name.replace(' ', '-')}/{work.first}-{connections}-{label}"
        if work.first is not None:
            peer.store.bucket.put(f"team/p0/{path}", b"x" * work.first)
    before = machine.most_resident_mib(peer.server.pid, anew=True) if work.is_long else 0
    row = run_client(peer, work.kind, path, work.size, connections, work.seconds(options), work.count, work.names, work.has_quota)
    if work.is_long:
        row["growth"] = machine.most_resident_mib(peer.server.pid) - before
        row["value"] *= work.size / MIB
    if work.kind == "append":
        kept = len(peer.store.bucket.get(f"team/p0/{path}")) - (work.first or 0)
        row["lost"] = 1 - kept / (row["requests"] * work.size)
    if work.size >= MIB:
        peer.store.drop_garbage()
    return row


def cells(stage):
    build_client()
    stage.peers = start_all(stage)
    for work in WORKS:
        prepare(work, stage.peers[work.peers], stage.options)
        for connections in work.connections:
            name = work.name if work.kind == "append" or work.is_long else f"{work.name}, {connections} connection{'s' if connections > 1 else ''}"
            yield Cell(name, stage.peers[work.peers],
                       lambda peer, label, work=work, connections=connections: run(work, connections, peer, label, stage.options),
                       unit="MiB/s" if work.is_long else "/s")


def remarks(stage, results):
    return [*losses(results), "", *s3_requests.lines(stage.peers["quota"][1], stage.peers["quota"][2])]


def losses(results):
    """Appends that were answered and are not in the file."""
    for (work, server), rows in results.rows.items():
        if max(row.get("lost", 0) for row in rows) > 0:
            yield f"- {work}: {results.median(work, server, 'lost'):.0%} of what {server} answered with 200 is not in the file."
