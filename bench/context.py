"""Context: flowstore beside the old server and the bare statements, on SQLite and on PostgreSQL."""
import concurrent.futures
import json
import subprocess
import time

import old_server
from client import Client
from machine import SERVER_SET
from peers import FLOWSTORE, ROOT, Failed, load
from postgres import Postgres
from rounds import Cell

QUOTA = "qn-1000000000"  # in force, and out of reach; of a token for each project, because the old server keeps one answer for each
WARM_SECONDS = 1
WARM_FOR = 45  # seconds; tokens are known for 90
PROJECTS, QUICK_PROJECTS = 200, 20
LONG_SECONDS = 5  # the old server answers long documents of many clients all at once, and late
FILLERS = 3  # at once; the old server stands still with more than four
SCOPES = 20
ABOUT = (f"{PROJECTS} projects with {SCOPES} scopes of 1 KiB; quotas on; SQLite with synchronous=FULL, PostgreSQL with its durable defaults. The "
         "old server writes to one project only: with more than four at once it stands still. raw statements: the same statements, as "
         "durable, in a loop without a server, tokens, JSON and quotas (SQLite 64 in a transaction, 4 of the large ones; PostgreSQL 8 "
         "connections, up to 8 in a transaction).")
DATABASES = {"SQLite": "sqlite", "PostgreSQL": "postgres"}
# name, kind, bytes, whether it writes, its name in raw_context (set, get, cache, page)
WORKS = [
    ("set key", "set", 1024, True, "set"),
    ("get key", "get", 1024, False, "get"),
    ("cache page of 20", "page", 1024, False, "page"),
    ("cache write 1 KiB", "write", 1024, True, "cache"),
    ("cache write 64 KiB", "write", 65536, True, "cache"),
    ("cache write 512 KiB", "write", 524288, True, "cache"),
]


class Statements:
    """raw_context on a database of its own."""

    name = "raw statements"

    def __init__(self, database, place):
        self.database, self.place = database, place

    def run(self, work, size, clients, seconds):
        words = [self.database, self.place, work, str(size), str(clients), str(seconds)]
        done = subprocess.run(["taskset", "-c", SERVER_SET, ROOT / "build/raw_context", *words], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(done.stderr.strip())
        return {"value": float(done.stdout)}


def start(stage, name, command, database):
    """`database` is that part of the configuration."""
    config = {"driver": {"type": "memory", "options": {}}, "context": {"type": "db", "options": database}}
    return stage.file_server(name, command, config, "context")


def token(project):
    return f"tok.{project}.{QUOTA}"


def document():
    """About 1 KiB, as Node-RED writes it."""
    return json.dumps({f"k{i}": {"b": i, "name": f"sensor {i}", "values": [1.5, 2.25, i, None, True], "at": "2026-11-23T12:00:00.000Z"}
                       for i in range(10)}).encode()


def write_scope(client, server, project, scope, body):
    client.token = token(project)
    client.ask("POST", f"{server.prefix}/{project}/cache/{scope}", body, "application/json")


def fill(server, count):
    def fill_every(first):
        body = document()
        with Client(server.port) as client:
            for project in range(first, count + 1, FILLERS):
                for scope in range(SCOPES):
                    write_scope(client, server, f"project{project}", f"flow{scope}", body)

    with concurrent.futures.ThreadPoolExecutor(FILLERS) as pool:
        list(pool.map(fill_every, range(1, FILLERS + 1)))


def wrk(server, kind, size, clients, seconds, projects=PROJECTS, **more):
    env = {"KIND": kind, "SIZE": str(size), "PROJECTS": str(projects), "QUOTA": QUOTA, **more}
    return load(server, ["-s", ROOT / "bench/lua/context.lua", f"http://127.0.0.1:{server.port}/"], clients, seconds, env)


def projects_of(stage):
    return QUICK_PROJECTS if stage.options.quick else PROJECTS


def measured(server, kind, size, is_write, clients, seconds, count):
    # A server asks the platform about a token that it has not seen for a while: not in what is measured.
    if time.monotonic() - server.warmed > WARM_FOR:
        wrk(server, "keys", size, 64, WARM_SECONDS, count)
        server.warmed = time.monotonic()
    # The old server stands still for a minute when more than four projects write at once.
    if server.name == "old server" and size > 1024:
        seconds = max(seconds, LONG_SECONDS)
    projects = 1 if is_write and server.name == "old server" else count
    return wrk(server, kind, size, clients, seconds, projects)


def build_statements():
    subprocess.run(["g++", "-std=c++20", "-O2", "-I/usr/include/postgresql", ROOT / "bench/raw_context.cpp", "-o",
                    ROOT / "build/raw_context", "-lsqlite3", "-lpq"], check=True)


def peers_of(stage, postgres, database):
    def options(name):
        return {"type": "sqlite"} if database == "sqlite" else postgres.database(name)

    peers = [start(stage, "flowstore", FLOWSTORE, options("flowstore"))]
    if stage.options.old_server and old_server.has_cache(stage.options.old_server):
        peers.append(start(stage, "old server", stage.options.old_server, options("old")))
    for server in peers:
        fill(server, projects_of(stage))
        server.warmed = -WARM_FOR
    if database == "postgres":
        postgres.database("raw")
    place = str(stage.folder / "raw.db") if database == "sqlite" else postgres.conninfo("raw")
    return peers, Statements(database, place)


def cells(stage):
    build_statements()
    postgres = stage.keep(Postgres(stage.folder, stage.log))
    for title, database in DATABASES.items():
        servers, statements = peers_of(stage, postgres, database)
        for clients in stage.options.clients:
            for name, kind, size, is_write, raw in WORKS:
                def run(peer, _, kind=kind, size=size, is_write=is_write, raw=raw, clients=clients):
                    if isinstance(peer, Statements):
                        return peer.run(raw, size, clients, stage.options.seconds)
                    return measured(peer, kind, size, is_write, clients, stage.options.seconds, projects_of(stage))
                work = f"{name}, {title}, {clients} client{'s' if clients > 1 else ''}"
                yield Cell(work, [*servers, statements], run, is_writing=is_write)
