#!/usr/bin/env python3
"""Many instances that start in the same second: `herd.py --port P --count N`.

Each of them, a project of its own, asks on three connections at once for a page of its context, a
value and a file, as Node-RED does when it starts. Ends with one line of JSON.
"""
import argparse
import asyncio
import json
import time

from client import Connection, Latencies, WrongAnswer, request


async def ask(port, text, ready, latencies, errors):
    try:
        connection = await Connection.open(port)
        await ready.wait()
        started = time.perf_counter()
        await connection.ask(text)
        latencies.add(time.perf_counter() - started)
        connection.close()
    except (WrongAnswer, OSError) as error:
        errors.append(str(error))


def questions(project):
    return [request("GET", f"/v1/context/{project}/cache?limit=20", project),
            request("GET", f"/v1/context/{project}/flow1?key=count", project),
            request("GET", f"/v1/files/team/{project}/a", project)]


async def run(options):
    ready, latencies, errors = asyncio.Event(), Latencies(), []
    tasks = [asyncio.create_task(ask(options.port, text, ready, latencies, errors))
             for number in range(options.count) for text in questions(f"project{number}")]
    await asyncio.sleep(1)  # most are connected; whoever is not starts a little later
    started = time.perf_counter()
    ready.set()
    await asyncio.gather(*tasks)
    print(json.dumps({"errors": errors[:20], "latencies": latencies.counts, "seconds": time.perf_counter() - started}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
