"""Requests as docs/openapi.yaml has them, on the wire: no library may mend what is sent."""
import json
import re
import socket

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


class Answer:
    def __init__(self, status, headers, body, is_closed):
        self.status, self.headers, self.body, self.is_closed = status, headers, body, is_closed

    @property
    def media_type(self):
        return self.headers.get("content-type", "").split(";")[0]

    def json(self):
        return json.loads(self.body)


def text_of(value):
    """Bytes of a text, of one that is repeated, or of hexadecimal digits."""
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"]) if "hex" in value else value["text"].encode() * value["times"]
    return value.encode()


def bytes_of(request, token):
    if "raw" in request:
        return request["raw"].encode()
    body, headers = None, {"Host": "localhost", "Authorization": f"Bearer {token}"}
    if "json" in request:
        body, headers["Content-Type"] = json.dumps(request["json"]).encode(), "application/json"
    elif "send" in request:
        body = text_of(request["send"])
    headers |= request.get("headers", {})
    if body is not None or request["method"] == "POST":
        headers["Content-Length"] = str(len(body or b""))
    lines = [b"%s: %s\r\n" % (name.encode(), text_of(value)) for name, value in headers.items() if value is not None]
    return b"%s %s HTTP/1.1\r\n%s\r\n%s" % (request["method"].encode(), request["target"].encode(), b"".join(lines), body or b"")


def ask(port, request, token):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        stream = connection.makefile("rb")
        try:
            connection.sendall(bytes_of(request, token))
        except ConnectionError:
            pass  # refused before all of it was sent
        status = int(stream.readline().split()[1])
        headers = {}
        while (line := stream.readline().strip()):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        length = 0 if request.get("method") == "HEAD" or status == 304 else int(headers.get("content-length", 0))
        body = stream.read(length)
        is_closed = headers["connection"] == "close"
        return Answer(status, headers, body, is_closed)


def alike(expected, found):
    """Whether they are the same, but for when."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(alike(expected[name], found[name]) for name in expected)
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(alike, expected, found))
    if isinstance(expected, str) and isinstance(found, str) and TIME.match(expected):
        return TIME.match(found) is not None
    return type(expected) is type(found) and expected == found
