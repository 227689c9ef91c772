#!/usr/bin/env python3
"""Thousands of open connections, some of them at work: `idle.py --port P --count N --active M
--projects N --seconds S`.

Says "open" when every connection has had an answer, waits for a line on standard input, lets the active
ones ask for S seconds, then asks once on every connection. Ends with one line of JSON.
"""
import argparse
import json
import resource
import select
import socket
import sys
import time

from client import Latencies, request

AT_ONCE = 500  # questions under way while every connection is asked


class Crowd:
    def __init__(self, port, count, projects):
        self.port, self.projects = port, projects
        self.poller = select.epoll()
        self.sockets = {}
        self.texts = {}
        self.sent = {}
        self.data = {}
        self.latencies = Latencies()
        self.errors = []
        for _ in range(count):
            self.open()
        self.all = list(self.sockets)

    def open(self):
        connection = socket.create_connection(("127.0.0.1", self.port), 30)
        connection.setblocking(False)
        project = f"project{len(self.sockets) % self.projects}"
        self.texts[connection.fileno()] = request("GET", f"/v1/files/team/{project}/a", project)
        self.sockets[connection.fileno()] = connection
        self.poller.register(connection, select.EPOLLIN)

    def ask(self, number):
        self.sent[number] = time.perf_counter()
        self.data[number] = b""
        self.sockets[number].sendall(self.texts[number])  # short: the kernel takes it

    def answered(self, timeout=30):
        """Those whose answer is complete, once there are any; none if nothing came for so long."""
        done = []
        while not done:
            events = self.poller.poll(timeout)
            if not events:
                self.errors.append(f"{len(self.sent)} connections got no answer for {timeout} s")
                return []
            for number, _ in events:
                if self.take(number):
                    done.append(number)
        return done

    def take(self, number):
        piece = self.sockets[number].recv(1 << 16)
        self.data[number] = self.data.get(number, b"") + piece
        head, blank, body = self.data[number].partition(b"\r\n\r\n")
        if piece and not blank:
            return False
        if not piece or not head.startswith(b"HTTP/1.1 200 "):
            self.errors.append(f"a connection got {self.data[number][:200]!r}")
            self.poller.unregister(number)
            self.sent.pop(number, None)
            return True
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        if len(body) < length:
            return False
        self.latencies.add(time.perf_counter() - self.sent.pop(number))
        return True

    def ask_all(self):
        waiting = list(self.all)
        while (waiting or self.sent) and not self.errors:
            while waiting and len(self.sent) < AT_ONCE:
                self.ask(waiting.pop())
            self.answered()

    def work(self, numbers, seconds):
        """Each of them asks again as soon as it is answered."""
        end = time.monotonic() + seconds
        for number in numbers:
            self.ask(number)
        while self.sent and not self.errors:
            for number in self.answered():
                if time.monotonic() < end and not self.errors:
                    self.ask(number)


def main():
    parser = argparse.ArgumentParser()
    for name in ("port", "count", "active", "projects", "seconds"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    crowd = Crowd(options.port, options.count, options.projects)
    crowd.ask_all()
    print("open", flush=True)
    sys.stdin.readline()
    crowd.latencies = Latencies()
    crowd.work(crowd.all[:options.active], options.seconds)
    active = crowd.latencies
    crowd.latencies = Latencies()
    crowd.ask_all()
    print(json.dumps({"errors": crowd.errors, "active": active.counts, "all": crowd.latencies.counts}), flush=True)


if __name__ == "__main__":
    main()
