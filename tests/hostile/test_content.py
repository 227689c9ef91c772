#!/usr/bin/env python3
"""Requests that are HTTP and ask for too much: of JSON, of property expressions, of numbers, of paths, of answers.

FLOWSTORE names the binary; the default is build/release/flowstore.
"""
import concurrent.futures
import contextlib
import json
import sqlite3
import unittest

from siege import HEAD, JSON_BODY, KIB, MIB, PROJECT, SESSION, UNAUTHORIZED, Siege

JSON_TYPE = {"Content-Type": "application/json"}
FLOW = f"/v1/context/{PROJECT}/flow"
WORK = 256 * MIB  # of one list of changes: kMostWork of src/json/document.cpp
AT_ONCE = 16  # requests of one project: the default of limits.perProject


def at_once(calls):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


class Json(Siege):
    def post(self, body, path=FLOW):
        return self.ask("POST", path, body, JSON_TYPE)

    def is_refused(self, body, status, code, path=FLOW):
        answer = self.post(body, path)
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(json.loads(answer.body).get("code"), code, answer)

    def test_deep_bodies(self):
        """As Node.js has it, beyond some thousands."""
        self.may_take(8 * JSON_BODY)
        for deep in (b"[" * 5 * MIB + b"]" * 5 * MIB, b'{"a":' * 2 * MIB, b"[" * 10 * MIB):
            answer = self.post(deep[:JSON_BODY])
            self.assertEqual(answer.status, 400)
            self.assertEqual(json.loads(answer.body), {"error": "Maximum call stack size exceeded"})
        nested = b"[" * 3900 + b"]" * 3900
        self.assertEqual(self.post(b'[{"key":"a","value":' + nested + b"}]").status, 200)
        self.assertEqual(self.ask("GET", FLOW + "?key=a").body, b'[{"key":"a","value":' + nested + b"}]")

    def test_too_large_bodies(self):
        self.may_take(2 * JSON_BODY)
        answer = self.post(b'"' + b"a" * JSON_BODY + b'"')
        self.assertEqual(answer.status, 413)
        self.assertEqual(answer.body, b'{"statusCode":413,"code":"FST_ERR_CTP_BODY_TOO_LARGE","error":"Payload Too Large",'
                                      b'"message":"Request body is too large"}')

    def test_bodies_that_are_no_json(self):
        for body in (b"{", b"[1,]", b"nul", b'"\x00"', b"\xff\xfe", b"[" + b"1," * MIB, b"1e", b"01", b"'a'", b'{"a":1,}',
                     b'[{"key":"a","value":{"__proto__":1}}]', b'{"constructor":{"prototype":1}}'):
            with self.subTest(body[:40]):
                answer = self.post(body)
                self.assertEqual(answer.status, 400, answer)
                self.assertIn(json.loads(answer.body)["code"],
                              ("FST_ERR_CTP_INVALID_JSON_BODY", "FST_ERR_CTP_INVALID_CONTENT_LENGTH"))

    def test_millions_of_tiny_members(self):
        self.may_take(AT_ONCE * 16 * JSON_BODY)
        tiny = "{" + ",".join(f'"{number:x}":0' for number in range(800_000)) + "}"
        same = "{" + ",".join(['"a":0'] * 1_500_000) + "}"
        turned = "{" + ",".join(f'"{number}":0' for number in range(700_000, 0, -1)) + "}"
        for body in (tiny, same, turned):
            self.assertLessEqual(len(body), JSON_BODY)
            answers = at_once([lambda: self.post(body.encode(), f"/v1/context/{PROJECT}/cache/flow")] * 4)
            self.assertEqual([answer.status for answer in answers], [200] * 4)
        self.assertEqual(self.ask("DELETE", FLOW).status, 200)

    def test_hundreds_of_thousands_of_changes(self):
        self.may_take(AT_ONCE * 16 * JSON_BODY)
        distinct = [{"key": f"k{number}", "value": 0} for number in range(100_000)]
        same = [{"key": "a", "value": 0}] * 100_000
        nested = [{"key": f"a.b{number}.c", "value": 0} for number in range(100_000)]
        removed = [{"key": f"a.b{number}"} for number in range(100_000)]
        for changes in (distinct, same, nested, removed):
            body = json.dumps(changes, separators=(",", ":")).encode()
            self.assertLessEqual(len(body), JSON_BODY)
            self.assertEqual(self.post(body).status, 200)
            self.neighbour.is_served()
        self.assertEqual(self.ask("DELETE", FLOW).status, 200)

    def test_changes_that_are_much_work(self):
        """Each takes a long array apart, or makes one: of such there is one at a time."""
        self.may_take(WORK + 8 * JSON_BODY)
        long = json.dumps([{"key": "a", "value": [0] * 900_000}])
        self.assertEqual(self.post(long.encode()).status, 200)
        shifts = json.dumps([{"key": "a[0]"}] * 100_000).encode()
        self.is_refused(shifts, 400, "ERR_TOO_MUCH_WORK")
        arrays = json.dumps([{"key": f"a{number}[999999]", "value": 0} for number in range(100_000)]).encode()
        self.is_refused(arrays, 400, "ERR_TOO_MUCH_WORK")
        self.is_refused(json.dumps([{"key": "b[4294967294]", "value": 0}]).encode(), 400, "ERR_ARRAY_INDEX")
        self.assertEqual(self.ask("DELETE", FLOW).status, 200)

    def test_long_and_deep_expressions(self):
        self.may_take(8 * JSON_BODY)
        long = "a" * 9 * MIB
        for expression, status in (("a" + ".a" * 4 * MIB, 400), ("a[" * 4 * MIB, 400), ("a[msg." * MIB, 400),
                                   ("a['" + long, 400), (long, 200)):
            answer = self.post(json.dumps([{"key": expression, "value": 0}]).encode())
            self.assertEqual(answer.status, status, answer)
            self.assertLess(len(answer.body), 2 * KIB)
        self.assertEqual(self.ask("DELETE", FLOW).status, 200)

    def test_one_value_asked_for_thousands_of_times(self):
        """An answer is not much longer than what it is about."""
        size = 4 * MIB
        self.may_take(AT_ONCE * (8 * size + HEAD + SESSION))
        self.assertEqual(self.post(json.dumps([{"key": "a", "value": {"b": "x" * size}}]).encode()).status, 200)
        few = FLOW + "?key=a&key=a.b"
        self.assertEqual(len(self.ask("GET", few).body), 2 * size + len('[{"key":"a","value":{"b":""}},{"key":"a.b","value":""}]'))
        for keys in (["key=a"] * 2000, ["key=a.b", "key=a['b']", 'key=a["b"]'] * 300):
            path = FLOW + "?" + "&".join(keys)
            for answer in at_once([lambda path=path: self.ask("GET", path)] * AT_ONCE):
                self.assertEqual(answer.status, 400, answer)
                self.assertEqual(json.loads(answer.body)["code"], "ERR_TOO_MUCH_WORK")
        self.assertEqual(self.ask("DELETE", FLOW).status, 200)


class Numbers(Siege):
    def test_limits_and_cursors(self):
        """Each has an answer, and none is an internal fault."""
        numbers = ["-1", "0", "1e400", "NaN", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
                   "18446744073709551616", "9" * 5000, "0x" + "f" * 5000, "%00", "1%00", "", "1.5", "'", "%f0%9f%92%a9"]
        for number in numbers:
            for path in (f"/v1/context/{PROJECT}/cache?limit={number}", f"/v1/context/{PROJECT}/cache?cursor={number}",
                         f"/v1/files/team/{PROJECT}/?list&limit={number}", f"/v1/files/team/{PROJECT}/?list&cursor={number}"):
                with self.subTest(path[:100]):
                    answer = self.ask("GET", path)
                    self.assertIn(answer.status, (200, 400), answer)
                    json.loads(answer.body)

    def test_ranges(self):
        """Many are ignored, as RFC 9110 allows, and no answer is longer than the file."""
        content = bytes(range(256)) * 256
        self.assertEqual(self.server.write("ranged", content).status, 200)
        for value, status in ((",".join(f"{number}-{number + 9}" for number in range(0, 14_000, 10)), 200),
                              (",".join(["0-"] * 5000), 200), ("0-18446744073709551616", (200, 206)), ("-0", (200, 416)),
                              ("-99999999999999999999999", (200, 206)), ("99999999999999999999-", (200, 416)), ("5-4", 200)):
            with self.subTest(value[:60]):
                answer = self.server.read("ranged", {"Range": "bytes=" + value})
                self.assertIn(answer.status, status if isinstance(status, tuple) else (status,))
                self.assertLessEqual(len(answer.body), len(content))
        self.server.remove("ranged")


class Paths(Siege):
    def test_paths_that_do_not_belong_here(self):
        for path, status in (("..%2f..%2fetc%2fpasswd", 400), ("%2e%2e/x", 400), ("a%00b", 400), ("%", 400), ("%zz", 400),
                             ("a" * 300, 400), ("a/" * 3000 + "b", 400)):
            with self.subTest(path[:40]):
                for method in ("GET", "POST", "DELETE"):
                    answer = self.ask(method, f"/v1/files/team/{PROJECT}/{path}", b"x" if method == "POST" else None)
                    self.assertIn(answer.status, (status, 404) if method != "POST" else (status,), (method, answer))
                    self.assertNotIn(str(self.server.home).encode(), answer.body)
        self.assertEqual(self.server.sizes(), {})

    def test_other_peoples_projects(self):
        for path in ("/v1/files/team/neighbour/folder/file1", "/v1/context/neighbour/flow0?key=a", "/v1/context/neighbour/cache",
                     "/v1/quota/team/neighbour", f"/v1/files/team/{PROJECT}%2f..%2fneighbour/folder/file1"):
            for method in ("GET", "DELETE", "POST"):
                answer = self.ask(method, path, b"{}", JSON_TYPE)
                self.assertIn(answer.status, (400, 401, 404), answer)
                if answer.status == 401:
                    self.assertEqual(answer.body, UNAUTHORIZED)

    def test_deep_folders(self):
        """As deep as the kernel lets a path be; listed and removed as a whole."""
        deep = "/".join(["d"] * 1500)
        self.assertEqual(self.server.write(deep + "/file", b"x").status, 200)
        self.neighbour.is_served()
        self.assertEqual(self.ask("GET", f"/v1/files/team/{PROJECT}/?list&recursive").status, 200)
        self.assertEqual(self.server.remove_folder("d").status, 200)
        self.assertEqual(self.server.sizes(), {})


class InternalFault(Siege):
    ASKED = (("GET", FLOW + "?key=a", None), ("POST", FLOW, b'[{"key":"a","value":1}]'),
             ("GET", f"/v1/context/{PROJECT}/cache", None), ("DELETE", FLOW, None))

    def test_says_nothing_internal_to_the_client_and_everything_to_the_operator(self):
        """The table of the context is renamed, which no driver expects."""
        self.neighbour.end()
        faults = 'http_request_duration_seconds_count{status_code="500"}'
        before, logged = self.metric(faults), len(self.server.logged())
        with contextlib.closing(sqlite3.connect(self.server.home / "var/context.db", timeout=30)) as other:
            other.execute("ALTER TABLE Contexts RENAME TO Hidden")
            for method, path, body in self.ASKED:
                answer = self.ask(method, path, body, JSON_TYPE)
                self.assertEqual(answer.status, 500, answer)
                self.assertIn(b"The context store is broken", answer.body)
                for word in (b"SQL", b"Contexts", b"table", b"context.db", str(self.server.home).encode()):
                    self.assertNotIn(word, answer.body)
            other.execute("ALTER TABLE Hidden RENAME TO Contexts")
        self.assertEqual(self.metric(faults) - before, len(self.ASKED))
        lines = [json.loads(line) for line in self.server.logged("no such table")[logged:].splitlines()]
        reasons = [line["reason"] for line in lines if "reason" in line]
        self.assertEqual(set(reasons), {"no such table: Contexts (code 1)"})
        self.assertLessEqual(len(reasons), len(self.ASKED))
        self.neighbour = self.NEIGHBOUR(self.server)
        self.neighbour.start()
        self.addCleanup(self.neighbour.end)


if __name__ == "__main__":
    unittest.main(verbosity=2)
