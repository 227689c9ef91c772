"""The goals, as data: a work, whose figure, beside what, and what is asked of it.

Durable, metrics on, request log off: that is `flowstore` everywhere but where another name says otherwise.
"""
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """`least` or `most`: of the ratio to `peer`'s figure in the same work, to the same server's in the work's base if `peer` is
    BASE, or of the figure itself if it is ABSOLUTE. `of` is a key of the rows."""
    work: str  # a regular expression of the whole name
    ours: str
    peer: str
    least: float = None
    most: float = None
    of: str = "value"

    def is_for(self, work, server):
        return server == self.ours and re.fullmatch(self.work, work) is not None

    def is_met_by(self, figure):
        return figure >= self.least if self.least is not None else figure <= self.most

    def text(self):
        return f">= {self.least:.3g}" if self.least is not None else f"<= {self.most:.3g}"


ABSOLUTE, BASE = "itself", "its base"
FLOWSTORE, RELAXED, ALL_ON = "flowstore", "flowstore relaxed", "flowstore, all on"
LIMITED = "flowstore, perProject 4"
NGINX, OLD, EPOLL, DISK = "nginx", "old server", "raw epoll", "disk"
STATEMENTS, LIBCURL = "raw statements", "libcurl"

GOALS = [
    # ---- files
    Goal("smallest answer", FLOWSTORE, EPOLL, least=0.85),
    Goal("GET (1|64) KiB", FLOWSTORE, NGINX, least=1.0),
    Goal("GET 1 MiB", FLOWSTORE, NGINX, least=0.95),
    Goal("GET .* [KM]iB", FLOWSTORE, NGINX, most=1.0, of="p99"),
    Goal("GET 1 KiB", ALL_ON, NGINX, least=0.75),
    Goal("POST 1 KiB", RELAXED, NGINX, least=3),
    Goal("POST 64 KiB", RELAXED, NGINX, least=1.5),
    Goal("POST 1 KiB", FLOWSTORE, NGINX, least=5),
    Goal("POST 64 KiB", FLOWSTORE, NGINX, least=1.5),
    Goal("POST (1|64) KiB on tmpfs", FLOWSTORE, NGINX, least=1.0),
    Goal("GET (1 KiB|64 KiB|1 MiB)", FLOWSTORE, OLD, least=8),
    Goal("POST (1|64) KiB", FLOWSTORE, OLD, least=20),
    Goal("append 100 B", FLOWSTORE, OLD, least=10),
    Goal("(GET (1 KiB|64 KiB|1 MiB)|POST (1|64) KiB|append 100 B)", FLOWSTORE, OLD, most=0.1, of="p99"),
    # ---- long
    Goal("(upload|download) 1 GiB", FLOWSTORE, NGINX, least=0.9),
    Goal("(upload|download) 1 GiB", FLOWSTORE, ABSOLUTE, most=16, of="growth"),
    # ---- context
    Goal("(set key|cache write 1 KiB), SQLite, 64 clients", FLOWSTORE, OLD, least=80),
    Goal("set key, PostgreSQL, 64 clients", FLOWSTORE, OLD, least=10),
    Goal("cache write 1 KiB, PostgreSQL, 64 clients", FLOWSTORE, OLD, least=25),
    Goal("cache write 64 KiB, SQLite, 64 clients", FLOWSTORE, OLD, least=15),
    Goal("cache write 512 KiB, SQLite, 64 clients", FLOWSTORE, OLD, least=10),
    Goal("cache write (64|512) KiB, PostgreSQL, 64 clients", FLOWSTORE, OLD, least=6),
    Goal("get key, SQLite, 64 clients", FLOWSTORE, OLD, least=20),
    Goal("cache page of 20, SQLite, 64 clients", FLOWSTORE, OLD, least=15),
    Goal("get key, PostgreSQL, 64 clients", FLOWSTORE, OLD, least=12),
    Goal("cache page of 20, PostgreSQL, 64 clients", FLOWSTORE, OLD, least=10),
    Goal("(set key|cache write .*), .*, 64 clients", FLOWSTORE, STATEMENTS, least=0.6),
    # ---- stored
    Goal("set key beside (1,000 scopes|100 MiB), .*", FLOWSTORE, BASE, most=1.2, of="cost"),
    # ---- s3
    Goal("(PUT|GET) 100 B, 1 connection", FLOWSTORE, LIBCURL, least=0.75),
    Goal("(PUT|GET) 100 B, 16 connections", FLOWSTORE, LIBCURL, least=0.85),
    Goal("PUT 1 MiB, .*", FLOWSTORE, LIBCURL, least=0.8),
    Goal("GET 1 MiB, .*", FLOWSTORE, LIBCURL, least=0.7),
    Goal("GET 100 B, gateway without tcp_nodelay, .*", FLOWSTORE, LIBCURL, least=10),
    Goal("(PUT|GET) of 1 GiB", FLOWSTORE, ABSOLUTE, most=16, of="growth"),
    # ---- footprint
    Goal("idle memory", FLOWSTORE, OLD, most=1 / 6),
    Goal("memory of an idle connection", FLOWSTORE, ABSOLUTE, most=2),
    Goal("start to serving", FLOWSTORE, OLD, most=0.1),
    # ---- fairness
    Goal("(write|read|set) beside .*", LIMITED, BASE, most=2, of="p99"),
]


def goals_for(work, server):
    return [goal for goal in GOALS if goal.is_for(work, server)]
