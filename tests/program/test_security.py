#!/usr/bin/env python3
"""What flowstore may do, and what it keeps to itself: privileges, memory, descriptors, the unit of systemd.

Runs the binary named by FLOWSTORE (default build/release/flowstore) in temporary folders, as root.
"""
import contextlib
import ctypes
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

from test_program import FLOWSTORE, ROOT, TOKEN, Program, free_port

UNIT = ROOT / "packaging/systemd/flowstore.service"
CONFINED = [sys.executable, str(ROOT / "tests/support/confined.py"), str(UNIT)]
# What `systemd-analyze security` may say at most, from 0 (confined) to 10; docs/security.md names it.
EXPOSURE = 1.1
NOBODY = pwd.getpwnam("nobody")
PATIENCE = 20


class Secured(Program):
    def setUp(self):
        super().setUp()
        self.home.chmod(0o755)  # the new user looks for its folders here
        self.config["context"] = {"type": "db", "options": {"type": "sqlite"}}

    def status(self, name, process=None):
        text = pathlib.Path(f"/proc/{process or self.process.pid}/status").read_text()
        return re.search(rf"^{name}:\s+(.*)$", text, re.M)[1].split()

    def use_everything(self):
        """A request of every kind, so that all its parts have run."""
        body = b'[{"key":"k","value":1}]'
        json_type = {"Content-Type": "application/json"}
        self.assertEqual(self.ask("POST", "/v1/files/t/p/a/b", b"x" * 1_000_000)[0], 200)
        self.assertEqual(self.ask("POST", "/v1/files/t/p/a/b", b"y", {"FF_MODE": "append"})[0], 200)
        self.assertEqual(len(self.ask("GET", "/v1/files/t/p/a/b")[1]), 1_000_001)
        self.assertEqual(self.ask("GET", "/v1/files/t/p/a/?list")[0], 200)
        self.assertEqual(self.ask("GET", "/v1/quota/t/p")[1], b'{"used":1000001}')
        self.assertEqual(self.ask("POST", "/v1/context/p/flow", body, json_type)[0], 200)
        self.assertEqual(self.ask("GET", "/v1/context/p/flow?key=k")[1], body)
        self.assertEqual(self.ask("DELETE", "/v1/context/p/flow")[0], 200)
        self.assertEqual(self.ask("DELETE", "/v1/files/t/p/a?recursive")[0], 200)
        self.assertEqual(self.ask("GET", "/v1/files/t/p/a/b")[0], 404)


class User(Secured):
    def setUp(self):
        super().setUp()
        self.config["user"] = "nobody"

    def ids_of_threads(self):
        return [(self.status("Uid", f"{self.process.pid}/task/{thread}"), self.status("Gid", f"{self.process.pid}/task/{thread}"),
                 self.status("Groups", f"{self.process.pid}/task/{thread}"))
                for thread in os.listdir(f"/proc/{self.process.pid}/task")]

    def test_is_whom_every_thread_becomes_without_a_capability(self):
        self.start()
        self.use_everything()
        uid, gid = str(NOBODY.pw_uid), str(NOBODY.pw_gid)
        for uids, gids, groups in self.ids_of_threads():
            self.assertEqual((set(uids), set(gids), groups), ({uid}, {gid}, [gid]))
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(self.status(name)[0], 16), 0, name)
        self.assertEqual(self.stop(), 0)
        self.assertNotIn("runs as root", self.logged())

    def test_owns_the_folders_that_were_missing_and_what_is_written(self):
        self.start()
        self.assertEqual(self.ask("POST", "/v1/files/t/p/a", b"x")[0], 200)
        self.stop()
        for path in [self.home / "var", *(self.home / "var").rglob("*")]:
            self.assertEqual((path.stat().st_uid, path.stat().st_gid), (NOBODY.pw_uid, NOBODY.pw_gid), path)
        self.assertEqual((self.home / "etc").stat().st_uid, os.geteuid())

    def test_cannot_write_in_a_folder_that_is_there_and_is_not_its_own(self):
        (self.home / "var/root").mkdir(parents=True)
        self.write_config()
        for words in ((), ("check",)):
            result = self.run_once(*words)
            self.assertEqual(result.returncode, 1)
            self.assertIn("let the user that runs flowstore write there", result.stdout + result.stderr)
        self.assertEqual((self.home / "var/root").stat().st_uid, os.geteuid())

    def test_listens_on_a_port_of_root(self):
        self.port = self.config["port"] = next(p for p in range(1023, 512, -1) if is_free(p))
        self.start()
        self.assertEqual(self.ask("POST", "/v1/files/t/p/a", b"x")[0], 200)
        self.assertEqual(self.stop(), 0)

    def test_reads_its_secrets_while_it_is_root_and_its_keys_when_it_is_not(self):
        secret = self.home / "token"
        secret.write_text(TOKEN)
        secret.chmod(0o600)
        self.config["auth"]["tokens"] = [{"token_file": "token", "project": "p"}]
        self.write_config().chmod(0o600)
        self.start()
        self.assertEqual(self.ask("POST", "/v1/files/t/p/a", b"x")[0], 200)
        self.stop()
        key, certificate = self.home / "k.pem", self.home / "c.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        self.config["tls"] = {"cert": str(certificate), "key": str(key)}
        key.chmod(0o600)
        self.write_config()
        result = self.run_once()
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"cannot read the key {key}: Permission denied", result.stderr)
        shutil.chown(key, group=NOBODY.pw_gid)
        key.chmod(0o640)
        self.assertEqual(self.run_once("check").returncode, 0)

    def test_is_checked_and_nothing_is_left_that_it_could_not_use(self):
        self.write_config()
        result = self.run_once("check")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("ok    user: runs as nobody\n", result.stdout)
        self.start()
        self.assertEqual(self.ask("POST", "/v1/files/t/p/a", b"x")[0], 200)

    def test_that_is_unknown_stops_the_start_with_file_line_and_key(self):
        path = self.write_config("driver: {type: memory}\nuser: no-such-user\nbase_url: http://127.0.0.1:1\n")
        result = self.run_once()
        self.assertEqual(result.returncode, 1)
        self.assertIn(f'{path}:2: user: "no-such-user" is no user of this machine', result.stderr)

    def test_is_not_taken_by_another_user(self):
        self.config["user"] = "daemon"
        self.write_config()
        result = subprocess.run(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", FLOWSTORE],
                                env=self.environment(), capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(result.returncode, 1)
        self.assertIn("user: cannot become daemon: it was not started as root", result.stderr)


class Root(Secured):
    def test_goes_on_as_before_and_says_what_to_set(self):
        self.start()
        self.use_everything()
        self.assertEqual(set(self.status("Uid")), {"0"})
        self.assertEqual(self.stop(), 0)
        self.assertEqual(self.logged().count("runs as root, which it does not need: set user"), 1)

    def test_says_nothing_where_it_is_wanted(self):
        self.config["user"] = "root"
        self.start()
        self.assertEqual(self.stop(), 0)
        self.assertNotIn("runs as root", self.logged())

    def test_makes_files_with_the_modes_that_the_umask_leaves(self):
        for mask, file_mode, folder_mode in ((0o022, 0o644, 0o755), (0o027, 0o640, 0o750), (0o002, 0o664, 0o775),
                                             (0, 0o664, 0o775)):  # nothing for everybody to write
            with self.subTest(umask=oct(mask)):
                self.start(preexec=lambda mask=mask: os.umask(mask) and None)
                name = f"umask-{mask:o}"
                self.assertEqual(self.ask("POST", f"/v1/files/t/p/{name}/f", b"x")[0], 200)
                self.stop()
                folder = self.home / "var/root/t/p" / name
                self.assertEqual(stat.S_IMODE(folder.stat().st_mode), folder_mode)
                self.assertEqual(stat.S_IMODE((folder / "f").stat().st_mode), file_mode)


class Process(Secured):
    def test_gains_nothing_and_leaves_no_core(self):
        self.start()
        self.assertEqual(self.status("NoNewPrivs"), ["1"])
        limits = pathlib.Path(f"/proc/{self.process.pid}/limits").read_text()
        self.assertRegex(limits, r"(?m)^Max core file size +0 +0 ")
        # What says that nobody else may look: the entries of /proc belong to root.
        self.config["user"] = "nobody"
        self.stop()
        subprocess.run(["chown", "-R", "nobody", self.home / "var"], check=True)
        self.start()
        self.assertEqual(os.stat(f"/proc/{self.process.pid}/environ").st_uid, 0)

    def test_may_leave_a_core_where_a_developer_asks_for_it(self):
        self.config["user"] = "nobody"
        self.start(FLOWSTORE_CORE="1")
        self.assertEqual(os.stat(f"/proc/{self.process.pid}/environ").st_uid, NOBODY.pw_uid)

    def test_has_no_descriptor_that_an_executed_program_would_inherit(self):
        self.start()
        with self.connect() as client:
            client.sendall(self.head("/v1/files/t/p/a", 1_000_000) + b"x" * 500_000)
            self.use_everything()
            folder = pathlib.Path(f"/proc/{self.process.pid}/fdinfo")
            checked = 0
            for entry in folder.iterdir():
                if int(entry.name) <= 2:
                    continue
                with contextlib.suppress(FileNotFoundError):  # closed since it was listed
                    flags = int(re.search(r"^flags:\s+(\d+)$", entry.read_text(), re.M)[1], 8)
                    self.assertTrue(flags & os.O_CLOEXEC, f"{folder.parent}/fd/{entry.name}")
                    checked += 1
            self.assertGreater(checked, 10)

    def test_executes_nothing_and_has_no_children(self):
        trace = self.home / "trace"
        self.write_config()
        words = ["strace", "-D", "-f", "-q", "-e", "trace=process", "-e", "signal=none", "-o", str(trace), FLOWSTORE]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(words, env=self.environment(ASAN_OPTIONS="detect_leaks=0"), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        self.addCleanup(self.kill)
        self.wait_until(self.answers)
        self.use_everything()
        self.assertEqual(self.stop(), 0)
        calls = re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)(.*)$", trace.read_text(), re.M)
        self.assertEqual([name for name, _ in calls].count("execve"), 1)  # its own beginning
        made = [rest for name, rest in calls if name in ("clone", "clone3", "fork", "vfork") and "resumed" not in rest]
        self.assertTrue(made)
        for rest in made:
            self.assertIn("CLONE_THREAD", rest)

    def answers(self):
        try:
            return self.ask("GET", "/health")[0] == 200
        except OSError:
            return False

    def wait_until(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, self.logged())
            time.sleep(0.02)


class Memory(Secured):
    def test_holds_no_token_of_requests_that_are_over(self):
        """As a core file would show it: the hash of the token is all that flowstore needs."""
        digest = subprocess.run(["sha256sum"], input=TOKEN.encode(), capture_output=True, check=True).stdout.split()[0].decode()
        self.config["auth"]["tokens"] = [{"sha256": digest, "project": "p"}]
        # Where CAP_SYS_PTRACE is missing only such a process shows its memory.
        self.start(FLOWSTORE_CORE="1")
        self.use_everything()
        with self.connect() as client:  # kept alive, and with a body that comes later
            for _ in range(3):
                client.sendall(self.head("/v1/files/t/p/a", 5))
                client.sendall(b"hello")
                self.assertTrue(client.recv(4096).startswith(b"HTTP/1.1 200"))
            refused = self.ask("GET", "/v1/files/t/other/a")
            self.assertEqual(refused[0], 401)
            self.assertEqual(memory_of(self.process.pid).count(TOKEN.encode()), 0)
            # The search finds what is there.
            client.sendall(self.head("/v1/files/t/p/a", 5) + b"hel")
            deadline = time.monotonic() + PATIENCE
            while memory_of(self.process.pid).count(TOKEN.encode()) == 0:
                self.assertLess(time.monotonic(), deadline)


def memory_of(process):
    """All bytes that the process may write to."""
    content = []
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for start, end, rights, name in re.findall(r"^(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)$", maps.read(), re.M):
            start, end = int(start, 16), int(end, 16)
            if "rw" not in rights or name.startswith("[v") or end - start > 1 << 32:
                continue
            memory.seek(start)
            content.append(memory.read(end - start))
    return b"".join(content)


class Manager(Secured):
    """The socket to which a service manager listens."""

    def setUp(self):
        super().setUp()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.bind(str(self.home / "notify"))
        self.socket.settimeout(PATIENCE)

    def hear(self):
        return self.socket.recv(4096).decode()

    def start_as_service(self, **more):
        self.start(NOTIFY_SOCKET=str(self.home / "notify"), **more)

    def test_hears_of_the_start_and_the_end(self):
        self.config["shutdown"] = {"grace": 3}
        self.start_as_service()
        self.assertEqual(self.hear(), "READY=1")
        self.assertEqual(self.stop(), 0)
        self.assertEqual(self.hear(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=13000000")

    def test_hears_nothing_of_a_start_that_fails(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.port))
            taken.listen()
            self.write_config()
            self.assertEqual(self.run_once(NOTIFY_SOCKET=str(self.home / "notify")).returncode, 1)
        self.socket.settimeout(0)
        self.assertRaises(BlockingIOError, self.hear)

    def test_hears_that_it_is_well_until_an_event_loop_hangs(self):
        self.start_as_service(WATCHDOG_USEC="400000")
        self.assertEqual([self.hear() for _ in range(4)], ["READY=1"] + ["WATCHDOG=1"] * 3)
        # All threads but the one that waits for signals stand still, as a loop that hangs does.
        stopped = [int(thread) for thread in os.listdir(f"/proc/{self.process.pid}/task") if int(thread) != self.process.pid]
        with held(stopped):
            self.socket.settimeout(1)  # several times the pause
            with self.assertRaises(TimeoutError):
                deadline = time.monotonic() + PATIENCE
                while time.monotonic() < deadline:
                    self.hear()
        self.socket.settimeout(PATIENCE)
        self.assertEqual(self.hear(), "WATCHDOG=1")
        self.assertEqual(self.stop(), 0)
        self.assertIn("an event loop hangs", self.logged())


class held:
    """These threads of a process do not run meanwhile."""

    PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207

    def __init__(self, threads):
        self.threads = threads
        self.ptrace = ctypes.CDLL(None, use_errno=True).ptrace
        self.ptrace.argtypes = [ctypes.c_long] * 4

    def call(self, request, thread):
        if self.ptrace(request, thread, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def __enter__(self):
        for thread in self.threads:
            self.call(self.PTRACE_SEIZE, thread)
            self.call(self.PTRACE_INTERRUPT, thread)
            os.waitpid(thread, 0x40000000)  # __WALL

    def __exit__(self, *_):
        for thread in self.threads:
            self.call(self.PTRACE_DETACH, thread)


class Unit(Secured):
    def analyze(self, *words):
        return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)

    def test_is_understood_by_systemd(self):
        # The program is not installed here; systemd looks for it.
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / UNIT.name
            copy.write_text(UNIT.read_text().replace("/usr/bin/flowstore", FLOWSTORE))
            result = self.analyze("verify", str(copy))
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_exposes_no_more_than_the_documentation_says(self):
        result = self.analyze("security", "--offline=true", f"--threshold={round(EXPOSURE * 10)}", "--no-pager", str(UNIT))
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn(f"exposure level for flowstore.service: {EXPOSURE}", result.stdout)
        self.assertIn(f"**{EXPOSURE}**", (ROOT / "docs/security.md").read_text())

    def test_allows_every_system_call_that_flowstore_makes(self):
        self.config["admin"] = {"host": "127.0.0.1", "port": free_port()}
        self.start_confined()
        self.use_everything()
        self.assertEqual(self.status("Seccomp"), ["2"])
        # The same again as a client that leaves, and at the end.
        with self.connect() as client:
            client.sendall(self.head("/v1/files/t/p/a", 1_000_000) + b"x" * 500_000)
        self.assertEqual(self.stop(), 0)

    def test_ends_a_program_that_does_more(self):
        script = "import os; os.setuid(1)"
        result = subprocess.run([*CONFINED, sys.executable, "-c", script], capture_output=True, timeout=60)
        self.assertEqual(result.returncode, -signal.SIGSYS)

    def start_confined(self):
        self.write_config()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*CONFINED, FLOWSTORE], env=self.environment(), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        self.addCleanup(self.kill)
        deadline = time.monotonic() + PATIENCE
        while True:
            self.assertIsNone(self.process.poll(), self.logged())
            self.assertLess(time.monotonic(), deadline)
            try:
                self.assertEqual(self.ask("GET", "/health")[0], 200)
                return
            except OSError:
                time.sleep(0.02)


class Documentation(unittest.TestCase):
    def test_names_tests_that_exist(self):
        text = (ROOT / "docs/security.md").read_text()
        sources = "".join(path.read_text() for path in (ROOT / "src").rglob("*_test.cpp"))
        named = re.findall(r"`([A-Z]\w+)\.([A-Z]\w+)`", text)
        self.assertGreater(len(named), 30)
        known = set(re.findall(r"^TEST(?:_F|_P)?\((\w+),\s+(\w+)\)", sources, re.M))
        self.assertEqual(set(named) - known, set())
        for name in re.findall(r"`(test_\w+)`", text):
            self.assertTrue(hasattr(Memory, name), name)
        for path in re.findall(r"`((?:tests|src)/[\w/.]+)`", text):
            self.assertTrue((ROOT / path).exists(), path)


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("test_security.py: becoming another user needs root")
    unittest.main(verbosity=2)
