#!/usr/bin/env python3
"""A proxy before a store that breaks what it is told to break. Loopback only.

  proxy.py --target 127.0.0.1:PORT [--port PORT] [--control PORT]

It prints both its ports. The control port speaks HTTP and JSON: `PUT /rules` sets a list of rules and
begins a new log, `GET /rules` gives them with how often each was "seen" and "used", `DELETE /rules` lets
everything pass, `GET /log` gives every request since `PUT` with the fault that it met and the status that
the client was sent (0: none). A rule:

  {"fault": "slow_down",       see FAULTS below
   "method": "PUT",            only these requests (absent: all)
   "contains": "uploadId=",    only where this is in the target
   "lacks": "uploadId=",       only where this is not in it
   "nth": 2,                   only the second of those (1 is the first)
   "times": 3,                 only three times
   "probability": 0.1,         only so often
   ...}                        what the fault needs: status, code, forward, seconds, rate

The first rule that fits is used, for a request at most one.
"""
import argparse
import http.client
import json
import random
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from wire import Gone, Wire

FAULTS = {
    "reset_before": "the connection is reset when the head of the request has arrived; nothing is forwarded",
    "reset_in_request": "half of the request's body is forwarded, then both connections are reset",
    "reset_after": "the request is carried out, and the connection reset instead of an answer",
    "reset_in_answer": "the connection is reset in the middle of the answer's body",
    "cut_answer": "the connection is closed, as if all were well, in the middle of the answer's body",
    "slow_down": "an error of the store's: status (503) and code (SlowDown); with forward: true the request is carried out",
    "corrupt_request": "one bit of the request's body is another one",
    "corrupt_answer": "one bit of the answer's body is another one",
    "wrong_etag": "the answer names another ETag",
    "delay": "the answer comes `seconds` later",
    "dribble": "the answer's body comes at `rate` bytes a second",
    "black_hole": "the request is taken, and nothing is ever said",
}
OTHER_ETAG = '"00000000000000000000000000000bad"'


class Rules:
    """Which fault a request meets, and what was asked. Safe to use from any thread."""

    def __init__(self):
        self.lock = threading.Lock()
        self.replace([])

    def replace(self, rules):
        unknown = {rule["fault"] for rule in rules} - set(FAULTS)
        if unknown:
            raise ValueError(f"no such fault: {unknown}")
        with self.lock:
            self.rules = [{**rule, "seen": 0, "used": 0} for rule in rules]
            self.log = []

    def clear(self):
        with self.lock:
            self.rules = []

    def meet(self, method, target):
        """The rule of this request, or None; and its entry in the log."""
        entry = {"method": method, "target": target, "fault": None, "status": 0}
        with self.lock:
            self.log.append(entry)
            for rule in self.rules:
                if fits(rule, method, target):
                    rule["used"] += 1
                    entry["fault"] = rule["fault"]
                    return rule, entry
        return None, entry


def fits(rule, method, target):
    if rule.get("method", method) != method or rule.get("contains", "") not in target:
        return False
    if "lacks" in rule and rule["lacks"] in target:
        return False
    rule["seen"] += 1
    if rule["seen"] != rule.get("nth", rule["seen"]) or rule["used"] >= rule.get("times", rule["seen"]):
        return False
    return random.random() < rule.get("probability", 1)


class Conversation:
    """One client's connection and the one to the store that belongs to it."""

    def __init__(self, client, target, rules):
        self.client, self.target, self.rules = Wire(client), target, rules
        self.store = None

    def run(self):
        try:
            while self.exchange():
                pass
        except Gone:
            self.client.reset()
        finally:
            self.client.close()
            if self.store:
                self.store.close()

    def exchange(self):
        """One request and its answer; False when the connection has ended."""
        request = self.client.head()
        if request is None:
            return False
        rule, entry = self.rules.meet(request.method, request.target)
        rule = rule or {"fault": None}
        if rule["fault"] == "black_hole":
            while self.client.more():
                pass
            return False
        if rule["fault"] == "reset_before":
            raise Gone
        if (request.get("expect") or "").lower() == "100-continue":
            request.remove("expect")
            self.client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if rule["fault"] == "slow_down" and not rule.get("forward"):
            for _ in self.client.body(request):
                pass
            return self.refuse(rule, entry)
        self.forward(request, rule)
        return self.answer(request, rule, entry)

    def forward(self, request, rule):
        if not self.store:
            try:
                self.store = Wire(socket.create_connection(self.target))
            except OSError as error:
                raise Gone from error
        body = self.client.body(request)
        if rule["fault"] == "corrupt_request":
            body = corrupted(body)
        if rule["fault"] == "reset_in_request":
            body = first_half(body, request.length)
        try:
            self.store.send(request.bytes())
            self.store.send_body(request, body)
        except Gone:
            pass  # it may have answered without listening to the end
        if rule["fault"] == "reset_in_request":
            self.store.reset()
            raise Gone

    def answer(self, request, rule, entry):
        answer = self.store.head()
        while answer and answer.status < 200:
            answer = self.store.head()
        if not answer:
            raise Gone
        has_none = request.method == "HEAD" or answer.status in (204, 304)
        body = self.store.body(answer, has_none)
        if rule["fault"] in ("reset_after", "slow_down"):
            for _ in body:
                pass
            if rule["fault"] == "slow_down":
                return self.refuse(rule, entry)
            raise Gone
        if rule["fault"] == "delay":
            time.sleep(rule["seconds"])
        if rule["fault"] == "wrong_etag":
            answer.replace("etag", OTHER_ETAG)
        entry["status"] = answer.status
        self.client.send(answer.bytes())
        self.send_answer_body(answer, body, rule)
        return (answer.get("connection") or "").lower() != "close" and (
            has_none or answer.is_chunked or answer.length is not None)

    def send_answer_body(self, answer, body, rule):
        if rule["fault"] in ("reset_in_answer", "cut_answer"):
            for piece in first_half(body, answer.length):
                self.client.send(b"%x\r\n%s\r\n" % (len(piece), piece) if answer.is_chunked else piece)
            if rule["fault"] == "reset_in_answer":
                raise Gone
            self.client.close()
            raise Gone
        if rule["fault"] == "corrupt_answer":
            body = corrupted(body)
        if rule["fault"] == "dribble":
            body = slow(body, rule["rate"])
        self.client.send_body(answer, body)

    def refuse(self, rule, entry):
        entry["status"] = rule.get("status", 503)
        code = rule.get("code", "SlowDown")
        body = (f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>Please reduce your request rate.'
                f"</Message><RequestId>proxy</RequestId><HostId>proxy</HostId></Error>").encode()
        self.client.send(f"HTTP/1.1 {entry['status']} {code}\r\nContent-Type: application/xml\r\n"
                         f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return True


def corrupted(pieces):
    """The middle of the first piece has another lowest bit."""
    for number, piece in enumerate(pieces):
        if number == 0 and piece:
            middle = len(piece) // 2
            piece = piece[:middle] + bytes([piece[middle] ^ 1]) + piece[middle + 1:]
        yield piece


def first_half(pieces, length):
    """Half of `length` bytes, or of the first piece where the length is not known."""
    left = None if length is None else length // 2
    for piece in pieces:
        left = len(piece) // 2 if left is None else left
        if left == 0:
            return
        yield piece[:left]
        left -= min(left, len(piece))


def slow(pieces, rate):
    for piece in pieces:
        step = max(1, rate // 20)
        for start in range(0, len(piece), step):
            part = piece[start:start + step]
            yield part
            time.sleep(len(part) / rate)


# ---------------------------------------------------------------- the program
def control(rules, port):
    """The control port's server; it runs in a thread."""
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_PUT(self):
            try:
                rules.replace(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            except (ValueError, KeyError, TypeError) as error:
                return self.reply(400, str(error))
            return self.reply(200, "ok")

        def do_DELETE(self):
            rules.clear()
            self.reply(200, "ok")

        def do_GET(self):
            with rules.lock:
                self.reply(200, {"/rules": rules.rules, "/log": rules.log}.get(self.path))

        def reply(self, status, value):
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def serve(listener, target, rules):
    while True:
        client, _ = listener.accept()
        threading.Thread(target=Conversation(client, target, rules).run, daemon=True).start()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control", type=int, default=0)
    options = parser.parse_args()
    host, port = options.target.split(":")
    rules = Rules()
    listener = socket.create_server(("127.0.0.1", options.port), backlog=256)
    print(listener.getsockname()[1], control(rules, options.control), flush=True)
    threading.Thread(target=serve, args=(listener, (host, int(port)), rules), daemon=True).start()
    sys.stdin.read()  # the proxy goes with the program that started it


class Proxy:
    """The proxy as a process of its own, as a test uses it."""

    def __init__(self, url):
        self.process = subprocess.Popen([sys.executable, __file__, "--target", url.removeprefix("http://")],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port, self.control = map(int, self.process.stdout.readline().split())
        self.url = f"http://127.0.0.1:{port}"

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def rules(self, *rules):
        """These rules from now on; none: everything passes."""
        return self._ask("PUT", "/rules", json.dumps(rules))

    def clear(self):
        """Everything passes; the log goes on."""
        return self._ask("DELETE", "/rules")

    def used(self):
        """How often any rule was used since they were set."""
        return sum(rule["used"] for rule in self._ask("GET", "/rules"))

    def log(self):
        return self._ask("GET", "/log")

    def has_seen(self, upload):
        """Has the client used the name of this multipart upload since the rules were set? Then it knows it."""
        return any(upload in entry["target"] for entry in self.log())

    def _ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.control, timeout=10)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            value = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(value)
        return value


if __name__ == "__main__":
    main()
