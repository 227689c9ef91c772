"""What a tenant notices of another one who floods.

One tenant asks on one connection, one question after the other, alone and while the other tenant keeps
64 connections busy, without and with limits.perProject.
"""
import contextlib
import json
import math
import os
import re
import subprocess
import time

import machine
from client import Client
from machine import LOAD_SET, LOAD_THREADS
from peers import FLOWSTORE, ROOT
from rounds import Cell

QUIET, LOUD = "quiet", "loud"
FILE = "/v1/files/team/{}/{}"
SET = json.dumps([{"key": "k", "value": 1}]).encode()
CONNECTIONS = 64  # of the flood
LIMITS = (0, 16, 4)  # limits.perProject of each server
SETTLED = 0.5  # seconds until a flood is up
ABOUT = (f"One tenant asks on one connection while another floods with {CONNECTIONS}; localfs strict, SQLite. The flood and the quiet tenant "
         "share the cores that the server does not have.")
# name -> method, path, body
PROBES = {
    "write": ("POST", FILE.format(QUIET, "a"), b"x" * 1024),
    "read": ("GET", FILE.format(QUIET, "a"), None),
    "set": ("POST", f"/v1/context/{QUIET}/flow", SET),
}
# What is told apart by it: the same kind of work, and what takes the disk or the sockets from it.
BESIDE = {"write": ("writes of 1 KiB", "reads of 1 MiB"), "read": ("writes of 1 KiB", "reads of 1 MiB"),
          "set": ("writes of 1 KiB", "reads of 1 MiB", "context sets")}
# name -> the same, of wrk
FLOODS = {
    "writes of 1 KiB": ("POST", FILE.format(LOUD, "f"), "x" * 1024),
    "reads of 1 MiB": ("GET", FILE.format(LOUD, "big"), None),
    "context sets": ("POST", f"/v1/context/{LOUD}/flow", SET.decode()),
}


def token(project):
    return f"tok.{project}.empty"


def content_type(path):
    return "application/json" if path.startswith("/v1/context") else "application/octet-stream"


def start(stage, limit):
    server = stage.file_server(f"flowstore, perProject {limit}", FLOWSTORE, {
        "driver": {"type": "localfs", "options": {"root": "var/root"}},
        "context": {"type": "db", "options": {"type": "sqlite"}}, "limits": {"perProject": limit}})
    with Client(server.port, token(QUIET)) as quiet, Client(server.port, token(LOUD)) as loud:
        for method, path, body in PROBES.values():
            quiet.ask(method, path, body, content_type(path))
        loud.ask("POST", FILE.format(LOUD, "big"), b"x" * (1 << 20))
    return server


def flood(server, kind, seconds):
    method, path, body = FLOODS[kind]
    command = ["taskset", "-c", LOAD_SET, "wrk", "-t", str(LOAD_THREADS), "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--timeout", "20s",
               "-s", ROOT / "bench/lua/flood.lua", "-H", f"Authorization: Bearer {token(LOUD)}", "-H", f"Content-Type: {content_type(path)}",
               f"http://127.0.0.1:{server.port}{path}", "--", method, body or ""]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def probe(server, kind, seconds):
    """A row, of the quiet tenant."""
    method, path, body = PROBES[kind]
    times, begun = [], time.monotonic()
    with Client(server.port, token(QUIET)) as client, before_the_flood():
        while time.monotonic() - begun < seconds:
            times.append(client.ask(method, path, body, content_type(path)) * 1000)
    return {"value": len(times) / (time.monotonic() - begun), "p50": quantile(times, 0.5), "p99": quantile(times, 0.99),
            "memory": machine.resident_mib(server.pid)}


@contextlib.contextmanager
def before_the_flood():
    """This thread runs as soon as it can: what waits for the core of the flood is not the server."""
    usual = os.sched_getscheduler(0), os.sched_getparam(0)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, *usual)


def quantile(times, part):
    times = sorted(times)
    return times[min(len(times) - 1, math.ceil(part * len(times)) - 1)]


def probe_beside(server, asked, kind, seconds):
    load = flood(server, kind, seconds + 1)
    time.sleep(SETTLED)
    row = probe(server, asked, seconds)
    text = load.communicate()[0]
    if errors := re.search(r"Non-2xx.*|Socket errors.*", text):
        print(f"flood of {kind}: {errors[0]}", flush=True)
    return row


def cells(stage):
    servers = [start(stage, limit) for limit in LIMITS]
    seconds = stage.options.seconds
    for asked in PROBES:
        yield Cell(f"{asked}, alone", servers, lambda peer, _, asked=asked: probe(peer, asked, seconds))
        for kind in BESIDE[asked]:
            yield Cell(f"{asked} beside {kind}", servers,
                       lambda peer, _, asked=asked, kind=kind: probe_beside(peer, asked, kind, seconds), base=f"{asked}, alone")
