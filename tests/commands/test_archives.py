#!/usr/bin/env python3
"""`flowstore export` and `import`: there and back, interrupted, beside a server, and with archives of an enemy."""
import contextlib
import hashlib
import io
import os
import pathlib
import pty
import select
import signal
import subprocess
import sys
import tarfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from commands import CommandTest, noise  # noqa: E402

MANY = 300  # files, so that something can happen between two of them
MANIFEST = b'{"format":1,"program":"flowstore","version":"0"}\n'


def compressed(tar):
    return subprocess.run(["zstd", "-q", "-c"], input=tar, capture_output=True, check=True).stdout


def plain(archive):
    return subprocess.run(["zstd", "-q", "-d", "-c"], input=archive, capture_output=True, check=True).stdout


def sums_of(entries):
    return "".join(f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in entries).encode()


def tar_of(entries, sums=None, manifest=MANIFEST, more=()):
    """A tar of regular files, with sums that are right, and of TarInfos."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        all_entries = [("flowstore.json", manifest), *entries]
        for name, body in [*all_entries, ("SHA256SUMS", sums if sums is not None else sums_of(all_entries))]:
            header = tarfile.TarInfo(name)
            header.size = len(body)
            tar.addfile(header, io.BytesIO(body))
            if name == "flowstore.json":
                for other in more:
                    tar.addfile(other)
    return out.getvalue()


class Archives(CommandTest):
    def filled(self, name="home"):
        """A server with files and context of three projects, stopped."""
        server = self.server_with("p", "q", "r", name=name).start()
        self.put(server, "t/p/a", b"12345")
        self.put(server, "t/p/dir/deep/b%20c", b"x" * 300_000)
        self.put(server, "t/p/empty", b"")
        self.put(server, "t/p/%C3%A9%0A%5C", b"odd name")
        self.put(server, "u/q/a", b"q")
        self.set_context(server, "p", "global", {"a": "é", "b": [1, {"c": None}]})
        self.set_context(server, "p", "n%2F1:f1", {"x": 1})
        self.set_context(server, "r", "f1", {"y": 2})
        server.stop()
        return server

    def archive(self, server, name="all.tar.zst", *words):
        path = self.folder / name
        self.succeed("export", path, *words, home=server.home)
        return path

    def write(self, tar, name="hostile.tar.zst"):
        path = self.folder / name
        path.write_bytes(compressed(tar))
        return path

    # ---- there and back
    def test_what_goes_out_comes_in(self):
        there = self.filled()
        path = self.archive(there)
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        back = self.server_with("p", "q", "r", name="back")
        found = self.succeed("import", path, "--json", home=back.home).json
        self.assertEqual((found["files"], found["scopes"], found["same"], found["conflicts"]), (5, 3, 0, []))
        self.assertEqual(self.tree(back.root), self.tree(there.root))
        self.assertEqual(self.contexts(back, "p", "q", "r"), self.contexts(there, "p", "q", "r"))
        again = self.succeed("import", path, "--json", home=back.home).json
        self.assertEqual((again["files"], again["scopes"], again["same"]), (0, 0, 8))

    def test_the_archive_is_one_that_everybody_reads(self):
        there = self.filled()
        path = self.archive(there)
        out = self.folder / "unpacked"
        out.mkdir()
        said = subprocess.run(["tar", "--zstd", "-xf", path, "-C", out], check=True, capture_output=True, text=True).stderr
        self.assertLessEqual(len(said.splitlines()), 1, said)  # of the one name that is not ASCII
        subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=out, check=True)
        self.assertEqual((out / "files/t/p/dir/deep/b c").read_bytes(), b"x" * 300_000)
        self.assertEqual((out / "context/r/f1.flow.json").read_text(), '{"y":2}')
        # And one that tar makes of it can be imported.
        packed = self.folder / "packed.tar.zst"
        subprocess.run(["tar", "--zstd", "-cf", packed, "flowstore.json", "files", "context", "SHA256SUMS"], cwd=out, check=True)
        found = self.succeed("import", packed, "--json", "--dry-run", home=there.home).json
        self.assertEqual((found["files"], found["same"]), (0, 8))

    def test_one_project_alone(self):
        there = self.filled()
        path = self.archive(there, "p.tar.zst", "--project", "t/p")
        back = self.server_with("p", "q", "r", name="back")
        self.succeed("import", path, home=back.home)
        self.assertEqual({name.split("/")[1] for name in self.tree(back.root)}, {"p"})
        self.assertEqual(self.contexts(back, "r"), {"r": {}})
        everything = self.archive(there)
        found = self.succeed("import", everything, "--project", "u/q", "--json", home=back.home).json
        self.assertEqual((found["files"], found["scopes"]), (1, 0))
        outcome = self.run_command("import", everything, "--project", "u/nobody", home=back.home)
        self.assertEqual(outcome.code, 1)
        self.assertIn("holds nothing of u/nobody", outcome.err)
        outcome = self.run_command("export", self.folder / "none.tar.zst", "--project", "t/nobody", home=there.home)
        self.assertEqual(outcome.code, 1)
        self.assertIn("t/nobody: has neither files nor context", outcome.err)
        self.assertFalse((self.folder / "none.tar.zst").exists())

    def test_by_way_of_a_pipe(self):
        there = self.filled()
        archive = self.run_command("export", "-", home=there.home, text=False)
        self.assertEqual(archive.code, 0, archive.err)
        path = self.folder / "piped.tar.zst"
        path.write_bytes(archive.out)
        self.assertEqual(self.succeed("import", path, "--dry-run", "--json", home=there.home).json["same"], 8)

    # ---- what is there already
    def test_another_content_is_a_conflict_unless_the_archive_may_replace_it(self):
        there = self.filled()
        path = self.archive(there)
        there.start()
        self.put(there, "t/p/a", b"other")
        self.set_context(there, "r", "f1", {"y": 3})
        there.stop()
        before = self.tree(there.root)
        outcome = self.run_command("import", path, home=there.home)
        self.assertEqual(outcome.code, 1)
        self.assertIn("is there with another content: files/t/p/a\n", outcome.err)
        self.assertIn("is there with another content: context/r/f1.flow.json\n", outcome.err)
        self.assertIn("nothing was imported", outcome.err)
        self.assertEqual(self.tree(there.root), before)
        self.succeed("import", path, "--replace", "--dry-run", home=there.home)
        self.assertEqual(self.tree(there.root), before)
        self.succeed("import", path, "--replace", home=there.home)
        self.assertEqual(self.tree(there.root)["t/p/a"], b"12345")
        self.assertEqual(self.contexts(there, "r"), {"r": {"f1": {"y": 2}}})

    def test_an_archive_that_is_there_stays(self):
        there = self.filled()
        path = self.archive(there)
        before = path.read_bytes()
        outcome = self.run_command("export", path, home=there.home)
        self.assertEqual(outcome.code, 1)
        self.assertIn("File exists; remove it, or choose another name", outcome.err)
        self.assertEqual(path.read_bytes(), before)

    # ---- interruptions
    def large(self):
        server = self.server()
        (server.root / "t/p").mkdir(parents=True)
        for name, body in noise(MANY, 100_000).items():
            (server.root / name).write_bytes(body)
        return server

    def test_an_interrupted_export_leaves_nothing(self):
        server = self.large()
        path = self.folder / "large.tar.zst"
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.begin("export", path, home=server.home)
            while not list(self.folder.glob("large.tar.zst.part-*")):
                self.assertIsNone(process.poll())
            self.assertEqual(self.interrupted(process, number), (130, "flowstore: interrupted\n"))
            self.assertEqual(list(self.folder.glob("large*")), [])
        self.archive(server, "large.tar.zst")

    def begun_import(self, path, back):
        """An import that has written some files and not all."""
        process = self.begin("import", path, home=back.home)
        project = back.root / "t/p"
        while not project.exists() or len(list(project.iterdir())) < 20:
            self.assertIsNone(process.poll())
        return process

    def check_it_goes_on(self, server, path, back):
        """What an import that was cut off has left is whole, and the next one brings the rest."""
        there, written = self.tree(server.root), self.tree(back.root)
        self.assertLess(len(written), MANY)
        for name, body in written.items():
            self.assertEqual(body, there[name], name)
        found = self.succeed("import", path, "--json", home=back.home).json
        self.assertEqual((found["files"], found["same"]), (MANY - len(written), len(written)))
        self.assertEqual(self.tree(back.root), there)

    def test_an_interrupted_import_goes_on_where_it_ended(self):
        server = self.large()
        path = self.archive(server, "large.tar.zst")
        back = self.server(name="back")
        process = self.begun_import(path, back)
        self.assertEqual(self.interrupted(process), (130, "flowstore: interrupted\n"))
        self.check_it_goes_on(server, path, back)

    def test_a_killed_import_leaves_whole_files_only(self):
        server = self.large()
        path = self.archive(server, "large.tar.zst")
        back = self.server(name="back")
        process = self.begun_import(path, back)
        process.kill()
        process.wait()
        self.check_it_goes_on(server, path, back)

    # ---- on a terminal
    def test_shows_how_far_it_is_on_a_terminal_and_takes_that_away(self):
        server = self.large()
        terminal, theirs = pty.openpty()
        self.addCleanup(os.close, terminal)
        process = self.begin("export", "-", home=server.home, stderr=theirs)
        os.close(theirs)
        shown, archive = b"", b""
        while b"exporting" not in shown:  # whoever takes the archive is slow
            if select.select([terminal], [], [], 0.05)[0]:
                shown += os.read(terminal, 4096)
            else:
                archive += os.read(process.stdout.fileno(), 4096)
        archive += process.stdout.read()
        self.assertEqual(process.wait(30), 0)
        with contextlib.suppress(OSError):  # EIO at the end
            while piece := os.read(terminal, 4096):
                shown += piece
        self.assertRegex(shown, rb"\r\x1b\[Kexporting  \d+  [\d.]+ .?i?B")
        self.assertTrue(shown.endswith(b"\r\x1b[K"), shown[-100:])
        self.assertEqual(plain(archive)[:14], b"flowstore.json")

    # ---- beside a server
    def test_export_while_the_server_writes_has_whole_files_and_scopes(self):
        server = self.server_with("p").start()
        stop, failed = threading.Event(), []

        def write(first):
            count = 0
            while not stop.is_set():
                count += 1
                size = 10 + count * 997 % 5000
                letter = bytes([97 + count % 26])
                try:
                    self.put(server, f"t/p/{first}{count % 20}", letter * size)
                    self.set_context(server, "p", f"{first}{count % 5}", {"v": letter.decode() * size})
                    if count % 7 == 0:
                        server.ask("DELETE", f"/v1/files/t/p/{first}{count % 20}", headers={"Authorization": "Bearer planted-token-p"})
                except AssertionError as error:
                    failed.append(error)
                    return

        writers = [threading.Thread(target=write, args=(first,)) for first in "ab"]
        for writer in writers:
            writer.start()
        try:
            for number in range(4):
                path = self.archive(server, f"{number}.tar.zst")
                with tarfile.open(fileobj=io.BytesIO(plain(path.read_bytes()))) as tar:
                    for member in tar:
                        body = tar.extractfile(member).read()
                        if member.name.startswith("files/"):
                            self.assertEqual(set(body), {body[0]}, member.name)  # one letter: one write
                        if member.name.startswith("context/"):
                            self.assertRegex(body.decode(), r'^\{"v":"(.)\1*"\}$')
                self.succeed("import", path, "--dry-run", "--replace", home=server.home)
        finally:
            stop.set()
            for writer in writers:
                writer.join()
        self.assertEqual(failed, [])

    def test_import_while_the_server_runs_is_seen_by_it(self):
        there = self.filled()
        path = self.archive(there)
        back = self.server_with("p", "q", "r", name="back").start()
        self.succeed("import", path, home=back.home)
        self.assertEqual(self.get(back, "t/p/a"), b"12345")
        self.assertEqual(self.context(back, "r"), {"f1": {"y": 2}})
        back.stop()
        back.start()  # whatever a log had, it undoes nothing
        self.assertEqual(self.get(back, "t/p/a"), b"12345")

    # ---- damage and malice
    def refused(self, path, server, reason):
        outcome = self.run_command("import", path, home=server.home)
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn(reason, outcome.err)
        self.assertIn(str(path), outcome.err)
        self.assertEqual(self.tree(server.root), {})
        self.assertEqual(sorted(path.name for path in self.folder.iterdir() if path.name == "escaped"), [])

    def test_a_damaged_archive_is_found_before_anything_is_imported(self):
        server = self.large()
        path = self.archive(server, "large.tar.zst")
        back = self.server(name="back")
        whole = path.read_bytes()
        middle = bytearray(whole)
        middle[len(whole) // 2] ^= 1
        damaged = self.folder / "damaged.tar.zst"
        for content in (bytes(middle), whole[:len(whole) // 2], whole[:-20], b"", b"no archive"):
            damaged.write_bytes(content)
            self.refused(damaged, back, str(damaged))
        tar = bytearray(plain(whole))
        tar[len(tar) // 2] ^= 1  # what zstd has not seen, SHA-256 does
        damaged.write_bytes(compressed(bytes(tar)))
        self.refused(damaged, back, "is damaged: its SHA-256 is not that of SHA256SUMS")

    def test_a_name_cannot_lead_anywhere_else(self):
        server = self.server_with("p")
        for name in ("files/t/p/../../../../escaped", "/escaped", "../escaped", "files/../escaped", "files/t/../../escaped",
                     "files/.flowstore/p/../escaped", "./files/t/p/a", "files/t/p//a", "files/t/p/", "escaped",
                     "context/../escaped.json", "context/p/../../escaped.json", "context/p/a/b.json", "context/p/%2f.json"):
            path = self.write(tar_of([("files/t/p/good", b"good"), (name, b"evil")]))
            outcome = self.run_command("import", path, home=server.home)
            self.assertEqual(outcome.code, 1, name)
            self.assertEqual(self.tree(server.root), {}, name)
        self.assertFalse(list(self.folder.rglob("escaped*")))

    def test_flowstores_own_folder_is_no_team(self):
        server = self.server_with("p")
        path = self.write(tar_of([("files/.flowstore/wal/0", b"evil")]))
        outcome = self.run_command("import", path, home=server.home)
        self.assertEqual(outcome.code, 1)
        self.assertIn("files/.flowstore/wal/0", outcome.err)

    def test_links_and_devices_are_refused(self):
        server = self.server_with("p")
        for kind, target in ((tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "flowstore.json"), (tarfile.CHRTYPE, ""),
                             (tarfile.FIFOTYPE, ""), (tarfile.BLKTYPE, "")):
            link = tarfile.TarInfo("files/t/p/link")
            link.type, link.linkname = kind, target
            path = self.write(tar_of([("files/t/p/good", b"good")], more=[link]))
            self.refused(path, server, "files/t/p/link: is a link, a device or the like")

    def test_sizes_that_are_not_there_cost_nothing(self):
        server = self.server_with("p")
        huge = tarfile.TarInfo("files/t/p/huge")
        huge.size = 1 << 62
        tar = huge.tobuf(tarfile.GNU_FORMAT) + b"x" * 1024
        path = self.write(tar_of([])[:1024] + tar)
        started = time.monotonic()
        self.refused(path, server, "files/t/p/huge")
        self.assertLess(time.monotonic() - started, 60)

    def test_a_sparse_file_is_refused(self):
        server = self.server_with("p")
        inside = self.folder / "inside"
        (inside / "files/t/p").mkdir(parents=True)
        with open(inside / "files/t/p/sparse", "wb") as file:
            file.truncate(1 << 40)
        for form in ("gnu", "posix"):
            tar = subprocess.run(["tar", "-S", f"--format={form}", "-c", "files/t/p/sparse"], cwd=inside, capture_output=True, check=True)
            self.refused(self.write(tar_of([])[:1024] + tar.stdout), server, "files/t/p/sparse: is a link, a device or the like")

    def test_an_archive_that_grows_takes_no_memory(self):
        server = self.server_with("p")
        header = tarfile.TarInfo("files/t/p/zeros")
        header.size = 64 << 30
        path = self.folder / "bomb.tar.zst"
        with subprocess.Popen(["zstd", "-q", "-1", "-f", "-o", path], stdin=subprocess.PIPE) as packer:
            packer.stdin.write(tar_of([])[:1024] + header.tobuf(tarfile.GNU_FORMAT))
            for _ in range(256):
                packer.stdin.write(bytes(1 << 20))
        process = self.begin("import", path, home=server.home)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 1)
        self.assertLess(usage.ru_maxrss, 400_000)  # kB, with the sanitizers' shadow
        self.assertEqual(self.tree(server.root), {})

    def test_values_beyond_any_context_are_refused(self):
        server = self.server_with("p")
        path = self.write(tar_of([("context/p/global.json", b"1" * ((256 << 20) + 1))]))
        self.refused(path, server, "context/p/global.json: is too long")

    def test_whatever_does_not_match_its_sums_is_refused(self):
        server = self.server_with("p")
        good = [("files/t/p/a", b"1")]
        sums = sums_of([("flowstore.json", MANIFEST), *good])
        for entries, given, reason in (
                (good, sums.replace(b"files/t/p/a", b"files/t/p/b"), "files/t/p/a: is not in SHA256SUMS"),
                ([], sums, "files/t/p/a: is missing from the archive"),
                (good, sums + sums, "has two sums"),
                (good, sums[:-1], "SHA256SUMS: is cut off"),
                (good, b"nonsense\n" + sums, "has a line that is none"),
                (good + good, sums, "files/t/p/a: is there twice")):
            self.refused(self.write(tar_of(entries, sums=given)), server, reason)
        without = subprocess.run(["tar", "--delete", "-f", "-", "flowstore.json"], input=tar_of(good), capture_output=True, check=True)
        self.refused(self.write(without.stdout), server, "flowstore.json: is missing")
        without = subprocess.run(["tar", "--delete", "-f", "-", "SHA256SUMS"], input=tar_of(good), capture_output=True, check=True)
        self.refused(self.write(without.stdout), server, "SHA256SUMS: is missing: the archive is cut off")

    def test_context_needs_a_place(self):
        there = self.filled()
        path = self.archive(there)
        plain_server = self.server(name="plain")
        outcome = self.run_command("import", path, home=plain_server.home)
        self.assertEqual(outcome.code, 1)
        self.assertIn("the configuration has no context; set context.type", outcome.err)
        self.assertEqual(self.tree(plain_server.root), {})

    def test_a_full_output_is_an_error(self):
        there = self.filled()
        with open("/dev/full", "wb") as full:
            process = self.begin("export", "-", home=there.home, stdout=full)
            _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assertIn("the archive cannot be written", err.decode())


if __name__ == "__main__":
    unittest.main()
