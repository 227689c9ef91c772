"""Requests of a tenant who wants to reach another one, as bytes on the wire.

The projects, the marker and the idea are those of hostile.h; here the bytes go through the parser
of HTTP as well, and no library makes them any better.
"""
import random

TEAM, ATTACKER = "team", "alpha"
VICTIMS = [("team", "beta"), ("team", "alphabet"), ("team", "alph"), ("team", "Alpha"),
           ("other", "beta"), ("other", "gamma"), ("tea", "mallow")]
MARKER = b"kept-from-others"
KNOWN = "known.txt"

UPS = ["..", "..", "%2e%2e", ".%2E", "%2e.", "%252e%252e", "%25252e.", "%c0%ae%c0%ae", "%e0%80%ae.", "%f0%80%80%ae",
       "..%00", "%ef%bc%8e%ef%bc%8e", "..%20", "..;x", "..;", "%u002e.", "..%0a", "..%0d%0a", "%e2%80%a4.", "...", "..%09"]
SEPARATORS = ["/"] * 6 + ["//", "/./", "%2f", "%2F", "%252f", "%25252F", "\\", "%5c", "%255c", "%c0%af", "/%00",
                          "%ef%bc%8f", "%e2%88%95", "%e2%81%84", "/.;/", ";/"]
PARTS = [".", "%2e", "~", "%00", "a%00.txt", "%", "%2", "%zz", "%ff", "%ed%a0%80", "%ef%bb%bf", "%e2%80%ae", "e%cc%81",
         "%c5%bf", "%e2%84%aa", "%ce%b1lpha", "be%d1%82a", "%0d%0aX-Y:%20z", "%7f", "%01", "*", "?", "#", "%3f", "%23", "&",
         "+", "%20", "con", "nul.txt", "C:", "file:", "-rf", "$(id)", "'", "%27--", "%22OR%201=1", ".flowstore", "tmp", "lock",
         ".FLOWSTORE", "etc", "passwd", "proc", "self", "root", "beside.txt", "context.db", "files", "own.txt", "dir",
         KNOWN, "cache", "keys", "clean", "global", "__proto__", ".flow", "n1:f1", "f1.nodes.n1", ":", "@", "[", "{}"]
LENGTHS = [255, 256, 499, 500, 501, 1024, 4095, 4096]
METHODS = ["GET"] * 8 + ["POST"] * 8 + ["DELETE"] * 3 + ["HEAD", "PUT", "PATCH", "OPTIONS", "PROPFIND", "MOVE", "COPY"]
WORDS = ["list", "recursive", "list=", "limit=1", "limit=0", "limit=-1", "limit=1000", "cursor=", "key=", "projectId=",
         "key=k", "key=a[0]['b']"]
MODES = ["append", "replace", "ensureDir", "Append", "", "../append"]
CONTEXT_BODIES = ['[{"key":"k","value":"attack"}]', '[{"key":"__proto__.x","value":1}]', '{"own":{"k":"attack"}}',
                  '["f1","n1","%"]', "[]", "null", "{", '{"__proto__":{"a":1}}']


def token_of(team, project):
    return f"planted-{team}_{project}-token"


class Hostile:
    """The same seed builds the same requests."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.own_token = token_of(TEAM, ATTACKER)

    # ---- pieces
    def happens(self, percent):
        return self.random.random() * 100 < percent

    def any_of(self, choices):
        return choices[int(self.random.random() * len(choices))]

    def part(self):
        if self.happens(4):
            return "n" * self.any_of(LENGTHS)
        if self.happens(20):
            return self.any_of(UPS)
        if self.happens(20):
            return self.any_of(self.any_of(VICTIMS))
        return self.any_of(PARTS)

    def victims_path(self):
        team, project = self.any_of(VICTIMS)
        out = [up for _ in range(int(self.random.random() * 5)) for up in (self.any_of(UPS), self.any_of(SEPARATORS))]
        if self.happens(60):
            out += [team, self.any_of(SEPARATORS)]
        if self.happens(80):
            out.append(project)
        if self.happens(70):
            out += [self.any_of(SEPARATORS), KNOWN]
        return "".join(out)

    def path(self):
        if self.happens(40):
            return self.mutated(self.victims_path())
        if self.happens(45):
            return self.any_of(["own.txt", f"dir/own{int(self.random.random() * 4)}"])
        out = [self.any_of(SEPARATORS)] if self.happens(15) else []
        for _ in range(1 + int(self.random.random() * 6)):
            out += [self.part(), self.any_of(SEPARATORS)]
        return self.mutated("".join(out[:-1]))

    def mutated(self, text):
        if self.happens(50):
            return text
        if self.happens(25):
            text = text.upper()
        if self.happens(15):
            at = int(self.random.random() * (len(text) + 1))
            text = text[:at] + self.any_of(PARTS) + text[at:]
        for _ in range(int(self.random.random() * 4)):
            text = self.encoded(text)
        return text[:int(self.random.random() * len(text))] if self.happens(5) else text

    def encoded(self, text):
        """Some of the bytes, or all that mean something."""
        chance = 1 if self.happens(50) else 0.5
        return "".join(f"%{ord(c):02x}" if self.random.random() < (chance if c in "./\\%" else 0.05) else c for c in text)

    def id(self, own):
        if self.happens(78):
            return own
        if self.happens(30):
            return self.mutated(self.any_of(VICTIMS)[own != TEAM])
        if self.happens(30):
            return self.mutated(self.victims_path())
        return self.mutated((own if self.happens(60) else "") + (self.any_of(SEPARATORS) if self.happens(50) else "") + self.part())

    def scope(self):
        if self.happens(25):
            return self.any_of(["f1", "n1:f1"])
        if self.happens(25):
            return self.mutated(self.victims_path())
        out = self.part()
        while self.happens(40):
            out += self.any_of(SEPARATORS) + self.part()
        return self.mutated(out)

    def query(self):
        words = [self.any_of(WORDS) for _ in range(int(self.random.random() * 4))]
        return "?" + "&".join(word + self.any_of([self.part, self.victims_path])() if word.endswith("=") else word for word in words)

    # ---- targets
    def files_target(self):
        return f"/v1/files/{self.id(TEAM)}/{self.id(ATTACKER)}/{self.path()}" + (self.query() if self.happens(50) else "")

    def context_target(self):
        tail = self.any_of([self.scope, self.scope, lambda: "cache", lambda: "cache/" + self.scope(), lambda: "clean",
                            lambda: self.scope() + "/keys"])()
        return f"/v1/context/{self.id(ATTACKER)}/{tail}" + (self.query() if self.happens(60) else "")

    def quota_target(self):
        return f"/v1/quota/{self.id(TEAM)}" + (f"/{self.id(ATTACKER)}" if self.happens(60) else "") + self.query()

    def odd_target(self):
        start = self.any_of(["/", "*", "http://x/v1/files/", "//v1/files/", "/v1//files/", "/V1/FILES/", "/v1/files/../quota/",
                             "/v1/files%2f", "/health/../v1/files/", "/metrics", "/v1/./files/", "http://x:80"])
        return start + self.victims_path() + self.query()

    # ---- the rest of a request
    def authorization(self):
        """Lines that must open no project but the attacker's."""
        own = f"Authorization: Bearer {self.own_token}"
        if self.happens(80):
            return [own]
        wanted = token_of(*self.any_of(VICTIMS))
        return self.any_of([
            [own, f"Authorization: Bearer {wanted}"],
            [own, f"Proxy-Authorization: Bearer {wanted}", f"Cookie: token={wanted}"],
            [f"Authorization: Bearer {wanted[:int(self.random.random() * len(wanted))]}"],
            [f"Authorization: Bearer {wanted}{self.any_of(['.', '%00', '%20', '/', '=', chr(0xe9)])}"],
            [f"Authorization: bearer {wanted}"], [f"Authorization: Bearer  {wanted}"], [f"Authorization: Bearer\t{wanted}"],
            [f"Authorization: Bearer {self.own_token},{wanted}"], [f"Authorization: Bearer {self.own_token} {wanted}"],
            [f"Authorization: Basic {wanted}"], [f"Authorization: {wanted}"], [f"Authorization: Bearer \"{wanted}\""],
            [f"X-Authorization: Bearer {wanted}"], [f"Authorization: Bearer {wanted.upper()}"], ["Authorization:"], [],
        ])

    def request(self):
        method = self.any_of(METHODS)
        kind = self.random.random() * 100
        body = ""
        if kind < 55:
            target, body = self.files_target(), "attack"
        elif kind < 88:
            target, body = self.context_target(), self.any_of(CONTEXT_BODIES)
        else:
            target = self.quota_target() if kind < 96 else self.odd_target()
        lines = [f"{method} {target.replace(' ', '%20')} HTTP/1.1", "Host: x", *self.authorization()]
        if self.happens(40):
            lines.append(f"FF_MODE: {self.any_of(MODES)}")
        if self.happens(20):
            lines.append("Range: bytes=" + self.any_of(["0-", "-5", "2-1000000", "0-0,3-4", "-18446744073709551615", "a-b"]))
        if self.happens(5):
            lines.append(f"If-Match: {self.any_of(['*', self.victims_path()])}")
        if self.happens(5):
            lines += [f"X-Original-URL: /v1/files/{self.victims_path()}", "X-HTTP-Method-Override: DELETE"]
        if method in ("GET", "HEAD"):
            body = ""
        if body or method in ("POST", "PUT", "PATCH"):
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")

    def malformed(self):
        """A request that is none, so that the connection may end with it. Where a victim's token is in it, nothing but
        its place is wrong."""
        team, project = self.any_of(VICTIMS)
        wanted = token_of(team, project)
        target = f"/v1/files/{team}/{project}/{KNOWN}"
        own = f"Authorization: Bearer {self.own_token}\r\n"
        return self.any_of([
            f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer {wanted}\r\n\r\n",
            f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer\r\n {wanted}\r\n\r\n",
            f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer\x0b{wanted}\r\n\r\n",
            f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {wanted}\x00\r\n\r\n",
            f"GET {target} HTTP/1.1\r\nHost: x\r\nX: y\rAuthorization: Bearer {wanted}\r\n\r\n",
            f"GET {target} HTTP/1.1\r\nHost: x\r\nX: y\n{own}\r\n\r\n",
            f"GET {target.replace('/', chr(9), 1)} HTTP/1.1\r\nHost: x\r\n{own}\r\n",
            f"GET /v1/files/team/alpha/..\x00/{project}/{KNOWN} HTTP/1.1\r\nHost: x\r\n{own}\r\n",
            f"GET /v1/files/team/alpha/\xff\xfe/../../{project}/{KNOWN} HTTP/1.1\r\nHost: x\r\n{own}\r\n",
            f"GET /v1/files/team/alpha/\xc0\xae\xc0\xae/{project}/{KNOWN} HTTP/1.1\r\nHost: x\r\n{own}\r\n",
            f"GET  {target} HTTP/1.1\r\nHost: x\r\n{own}\r\n", f"GET {target}\r\n{own}\r\n",
            f"GET {target} HTTP/1.0\r\n{own}\r\n", f"GET {target} HTTP/9.9\r\n{own}\r\n",
            f"GET ../{target} HTTP/1.1\r\nHost: x\r\n{own}\r\n",
            f"GET {'/' * 70000} HTTP/1.1\r\nHost: x\r\n{own}\r\n",
        ]).encode("latin-1")
