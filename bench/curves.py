"""The curves of script/bench scaling: the same work while one thing grows, each point beside the first."""
import os
import resource
import sqlite3

import context
from client import Client
from files import ONE_PROJECT, flowstore, wrk_get, wrk_write
from footprint import wait_until_served
from peers import FLOWSTORE, ROOT, load
from postgres import Postgres
from rounds import Cell

CLIENTS = 16
KIB, MIB = 1 << 10, 1 << 20
PER_FOLDER = 1000
APPENDED = 100
QUOTA = 10**12  # in force, and out of reach
FILES = (1, 100, 10_000, 1_000_000)
SCOPES = (1, 100, 1_000, 10_000, 100_000)
PROJECTS = (1, 100, 10_000, 100_000)
CONNECTIONS = (1, 10, 100, 1_000, 10_000)
BODIES = (0, 100, KIB, 10 * KIB, 100 * KIB, MIB, 10 * MIB)
QUICK_MOST = 1_000  # the largest point of a look
WARMED_PER_SECOND = 2_000  # projects; a token's first request asks the platform


def points(all_points, stage):
    return [point for point in all_points if not stage.options.quick or point <= QUICK_MOST]


def curve(work, thing, point, first, peers, run, **more):
    """One point of a curve."""
    def name(number):
        return f"{work}, {number:,} {thing if number != 1 else thing.removesuffix('s')}"
    return Cell(name(point), peers, run, base=None if point == first else name(first), **more)


# ---- files in one project
def file_token(project):
    return f"tok.{project}.q{QUOTA}-n"


def make_files(folder, count):
    """Straight on the disk: through a server a million of them would take an hour."""
    for first in range(0, count, PER_FOLDER):
        place = folder / f"d{first // PER_FOLDER}"
        place.mkdir(parents=True)
        handle = os.open(place, os.O_RDONLY)
        for number in range(first, min(first + PER_FOLDER, count)):
            file = os.open(f"f{number}", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=handle)
            os.write(file, b"x" * KIB)
            os.close(file)
        os.close(handle)


def first_write(stage, root, project):
    """The first one under a quota: the project is counted."""
    server = stage.launch("flowstore", FLOWSTORE, {"driver": {"type": "localfs", "options": {"root": str(root)}}})
    try:
        wait_until_served(server)
        with Client(server.port, file_token(project)) as client:
            return {"value": client.ask("POST", f"{server.prefix}/{project}/d0/f0", b"x" * KIB) * 1000}
    finally:
        server.stop()


def files(stage):
    root = stage.folder / "root"
    counts = points(FILES, stage)
    for count in counts:
        print(f"writing {count:,} files", flush=True)
        make_files(root / "team" / f"with{count}", count)
    os.sync()
    server = stage.file_server("flowstore", FLOWSTORE, {"driver": {"type": "localfs", "options": {"root": str(root)}}, "limits": ONE_PROJECT})
    for kind, size in (("get", 0), ("post", KIB), ("append", APPENDED)):
        for count in counts:
            def run(peer, _, kind=kind, size=size, count=count):
                env = {"KIND": kind, "SIZE": str(size), "COUNT": str(count), "TOKEN": file_token(f"with{count}")}
                return load(peer, ["-s", ROOT / "bench/lua/many.lua", peer.url(f"/with{count}")], CLIENTS, stage.options.seconds, env)
            yield curve(kind, "files", count, counts[0], [server], run, is_writing=kind != "get")
    for count in counts:
        yield curve("first write under a quota", "files", count, counts[0], [server],
                    lambda _, __, count=count: first_write(stage, root, f"with{count}"), unit="ms")


# ---- scopes in one project, and projects
SQLITE_ROWS = """
WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < {count})
INSERT INTO Contexts (project, scope, `values`, createdAt, updatedAt)
SELECT {project}, {scope}, '{document}', '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00' FROM number"""
POSTGRES_ROWS = """
INSERT INTO "Contexts" (project, scope, "values", "createdAt", "updatedAt")
SELECT {project}, {scope}, '{document}'::json, now(), now() FROM generate_series(0, {count} - 1) n"""


class Filled:
    """flowstore with a database that rows are put into past it, as another program would: through it they would take long."""

    def __init__(self, stage, postgres, title, name):
        options = postgres.database(name) if postgres else {"type": "sqlite", "storage": str(stage.folder / f"{name}.db")}
        self.title, self.postgres, self.database, self.options = title, postgres, name, options
        self.server = context.start(stage, "flowstore", FLOWSTORE, options)
        with Client(self.server.port) as client:  # which makes the table
            context.write_scope(client, self.server, "first", "flow0", context.document())

    def insert(self, count, project, scope):
        """`project` and `scope` are expressions of n."""
        text = (POSTGRES_ROWS if self.postgres else SQLITE_ROWS).format(
            count=count, project=project, scope=scope, document=context.document().decode())
        if self.postgres:
            self.postgres.run(self.database, text)
            return
        connection = sqlite3.connect(self.options["storage"], timeout=60)
        connection.execute(text)
        connection.commit()
        connection.close()


def scopes(stage):
    postgres = stage.keep(Postgres(stage.folder, stage.log))
    counts = points(SCOPES, stage)
    for title in context.DATABASES:
        filled = Filled(stage, postgres if title == "PostgreSQL" else None, title, "scopes")
        for count in counts:
            filled.insert(count, f"'with{count}x1'", "'flow' || n")
        for name, kind in (("set key", "set"), ("get key", "get"), ("cache page of 20", "page")):
            for count in counts:
                def run(peer, _, kind=kind, count=count):
                    return context.wrk(peer, kind, KIB, CLIENTS, stage.options.seconds, projects=1, PROJECT=f"with{count}x", SCOPES=str(count))
                yield curve(f"{name}, {title}", "scopes", count, counts[0], [filled.server], run, is_writing=kind == "set")


def projects(stage):
    counts = points(PROJECTS, stage)
    servers = {}
    for count in counts:
        filled = Filled(stage, None, "SQLite", f"projects{count}")
        filled.insert(count, "'project' || (n + 1)", "'flow0'")
        servers[count] = filled.server
    for name, kind in (("set key", "set"), ("get key", "get")):
        for count in counts:
            def run(peer, _, kind=kind, count=count):
                # Tokens are known for 90 s: the questions that a fleet of this size asks belong to the measurement, its start does not.
                context.wrk(peer, "keys", KIB, CLIENTS, 1 + count / WARMED_PER_SECOND, projects=count, SCOPES="1")
                return context.wrk(peer, kind, KIB, CLIENTS, stage.options.seconds, projects=count, SCOPES="1")
            yield curve(f"{name}, SQLite", "projects", count, counts[0], [servers[count]], run, is_writing=kind == "set")


# ---- connections and bodies
def connections(stage):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = flowstore(stage, "flowstore", stage.folder)
    counts = points(CONNECTIONS, stage)
    with Client(server.port, server.token) as client:
        client.ask("POST", f"{server.prefix}/small", b"x" * KIB)
    seconds = max(5, stage.options.seconds)  # ten thousand connections take a second to be made
    for count in counts:
        yield curve("GET 1 KiB", "connections", count, counts[0], [server],
                    lambda peer, _, count=count: wrk_get(peer, "/small", seconds, count))
    for count in counts:
        yield curve("POST 1 KiB", "connections", count, counts[0], [server],
                    lambda peer, _, count=count: post(peer, KIB, seconds, count), is_writing=True)


def post(server, size, seconds, clients):
    names = max(1, min(256, 64 * MIB // max(size, 1)))  # wrk holds as many bodies in memory
    return wrk_write(server, f"/post-{size}", size, seconds, clients=clients, names=names)


def bodies(stage):
    server = flowstore(stage, "flowstore", stage.folder)
    for size in BODIES:
        with Client(server.port, server.token) as client:
            client.ask("POST", f"{server.prefix}/get-{size}", bytes(size))
    for size in BODIES:
        yield curve("GET", "bytes", size, BODIES[0], [server], lambda peer, _, size=size: wrk_get(peer, f"/get-{size}", stage.options.seconds, CLIENTS))
    for size in BODIES:
        yield curve("POST", "bytes", size, BODIES[0], [server],
                    lambda peer, _, size=size: post(peer, size, stage.options.seconds, CLIENTS), is_writing=True)


CURVES = {"files": files, "scopes": scopes, "projects": projects, "connections": connections, "bodies": bodies}
