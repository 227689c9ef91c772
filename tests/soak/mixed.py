#!/usr/bin/env python3
"""Files and context of many projects, mixed: `mixed.py --port P --projects FIRST-LAST --seconds S --rate R`.

A rate of 0 is as fast as the answers come. Prints one line of JSON at the end: latencies by kind of
request, and the answers that were wrong (the run ends with the first ones of them). What is stored
does not grow: names come again, and what is appended to is replaced.
"""
import argparse
import asyncio
import json
import random
import time

from client import Connection, Latencies, WrongAnswer, context_set, request

CONNECTIONS = 32
MOST_ERRORS = 20
BODY = b"x" * 1024
LONG_BODY = b"y" * 200_000


def file(project, name):
    return f"/v1/files/team/{project}/{name}"


def context(project, scope):
    return f"/v1/context/{project}/flow{scope}"


# Kind -> share, and the requests it is made of. What is read was written by fill().
def steps_of(kind, project, number):
    scope = number % 4
    return {
        "file read": lambda: [request("GET", file(project, "a"), project)],
        "file write": lambda: [request("POST", file(project, "a"), project, BODY)],
        "file append": lambda: [append(project)],
        "long file": lambda: [request("POST", file(project, "long"), project, LONG_BODY), request("GET", file(project, "long"), project)],
        "file of a moment": lambda: [request("POST", file(project, f"d/{number}"), project, BODY),
                                     request("DELETE", file(project, f"d/{number}"), project)],
        "context set": lambda: [request("POST", context(project, scope), project, context_set(number))],
        "context get": lambda: [request("GET", context(project, scope) + "?key=device.name", project)],
        "context page": lambda: [request("GET", f"/v1/context/{project}/cache?limit=20", project)],
    }[kind]()


SHARES = {"file read": 35, "file write": 15, "file append": 5, "long file": 1, "file of a moment": 3,
          "context set": 15, "context get": 20, "context page": 6}


def append(project):
    return request("POST", file(project, "log"), project, BODY).replace(b"\r\n\r\n", b"\r\nFF_MODE: append\r\n\r\n", 1)


class Load:
    def __init__(self, options):
        first, last = map(int, options.projects.split("-"))
        self.options = options
        self.projects = [f"project{number}" for number in range(first, last)]
        self.latencies = {}
        self.errors = []
        self.number = 0
        self.busy_logs = {}

    async def perform(self, connection, kind, project):
        self.number += 1
        steps = steps_of(kind, project, self.number)
        if kind == "file append":  # the log starts over before it is long
            self.busy_logs[project] = self.busy_logs.get(project, 0) + 1
            if self.busy_logs[project] % 64 == 0:
                steps = [request("POST", file(project, "log"), project, BODY)]
        for step in steps:
            started = time.perf_counter()
            await connection.ask(step)
            self.latencies.setdefault(kind, Latencies()).add(time.perf_counter() - started)

    async def fill(self, connection, projects):
        for project in projects:
            for kind in ("file write", "long file"):
                for step in steps_of(kind, project, 0):
                    await connection.ask(step)
            for scope in range(4):
                await connection.ask(steps_of("context set", project, scope)[0])

    async def client(self, index, end):
        """One connection; those with a rate keep to their timetable, whatever the answers take."""
        interval = CONNECTIONS / self.options.rate if self.options.rate else 0
        due = time.monotonic() + interval * random.random()
        kinds, shares = list(SHARES), list(SHARES.values())
        connection = await Connection.open(self.options.port)
        try:
            if self.options.fill:
                await self.fill(connection, self.projects[index::CONNECTIONS])
            while time.monotonic() < end and len(self.errors) < MOST_ERRORS:
                await asyncio.sleep(max(0, due - time.monotonic()) if interval else 0)
                due += interval
                # A client that cannot keep up does not make up for it with a burst.
                due = max(due, time.monotonic() - 1)
                await self.perform(connection, random.choices(kinds, shares)[0], random.choice(self.projects))
        except WrongAnswer as error:
            self.errors.append(str(error))
        finally:
            connection.close()

    async def run(self):
        end = time.monotonic() + self.options.seconds
        await asyncio.gather(*(self.client(index, end) for index in range(CONNECTIONS)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--projects", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--fill", action="store_true", help="write first what is read later")
    load = Load(parser.parse_args())
    asyncio.run(load.run())
    print(json.dumps({"errors": load.errors, "latencies": {kind: times.counts for kind, times in load.latencies.items()}}))


if __name__ == "__main__":
    main()
