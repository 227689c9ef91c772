#!/usr/bin/env python3
"""A FlowFuse platform that knows every project by the token `tok.PROJECT` and counts what it is asked:
`platform.py PORT`. GET /asked answers the number of questions since the last time."""
import asyncio
import re
import sys

asked = 0


def answer(head):
    global asked
    if head.startswith(b"GET /asked "):
        body, asked = b"%d" % asked, 0
        return b"200 OK", body
    asked += 1
    project = re.match(rb"GET /account/check/project/(\S*) ", head)
    token = re.search(rb"\r\nauthorization: Bearer tok\.(\S*)\r\n", head, re.I)
    is_known = project and token and project[1] == token[1]
    return b"200 OK" if is_known else b"401 Unauthorized", b"{}"


async def serve(reader, writer):
    try:
        while True:
            status, body = answer(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
