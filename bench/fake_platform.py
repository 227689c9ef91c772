#!/usr/bin/env python3
"""A FlowFuse platform that answers at once, so that a benchmark measures the store: `fake_platform.py PORT`.

Knows the tokens `tok.PROJECT.empty` and `tok.PROJECT.qFILE-CONTEXT` (quotas; `n` for none), as the
platform of the contract's cases does. That one writes head and body apart, which costs 40 ms each time.
"""
import asyncio
import json
import re
import sys


def answer(head):
    asked = re.match(rb"GET /account/check/project/(\S*) ", head)
    shown = re.search(rb"\r\nauthorization: Bearer tok\.(\S*)\.(empty|q(n|\d+)-(n|\d+))\r\n", head, re.I)
    if not asked or not shown or asked[1] != shown[1]:
        return b'HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
    quota = {name: int(limit) for name, limit in zip(("file", "context"), shown.groups()[2:]) if limit not in (None, b"n")}
    body = json.dumps({"quota": quota} if quota else {}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def serve(reader, writer):
    try:
        while True:
            writer.write(answer(await reader.readuntil(b"\r\n\r\n")))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
