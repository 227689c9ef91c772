#!/usr/bin/env python3
"""The Debian package in a bare Debian 12 of its own: installed, upgraded, removed and purged, and what it leaves.

script/package has to have run. The bare system is made by debootstrap once, with what the package depends on, and kept in
~/.cache/flowstore (or FLOWSTORE_CACHE); each test works on a copy. Needs root, and the network the first time; with
--prepare it only makes that system.
"""
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from flowstore import run_all  # noqa: E402
from planted import log_path  # noqa: E402

CACHE = pathlib.Path(os.environ.get("FLOWSTORE_CACHE", pathlib.Path.home() / ".cache/flowstore"))
CONFIGURATION = "etc/flowstore/flowforge-storage.yml"
UNIT = "usr/lib/systemd/system/flowstore.service"
EXPOSURE = 1.1  # as docs/security.md says
PATIENCE = 60
TOKEN = "planted-package-token"
QUIET = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "HOME": "/root"}


def setUpModule():
    global run, package, base
    run = run_all.Run()
    unittest.addModuleCleanup(run.close)
    package = built()
    base = base_system(field(package, "Depends"))


def built():
    (package,) = (ROOT / "build/release").glob("flowstore_*.deb")
    return package


def field(deb, name):
    return subprocess.run(["dpkg-deb", "-f", deb, name], check=True, capture_output=True, text=True).stdout.strip()


def base_system(depends):
    """The folder of a Debian 12 that has what the package depends on, and nothing else."""
    folder = CACHE / f"debian-12-{hashlib.sha256(depends.encode()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    print(f"making {folder}", flush=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="making-", dir=CACHE) as making:
        system = pathlib.Path(making) / "system"
        quietly("debootstrap", "--variant=minbase", "bookworm", system)
        shutil.copy("/etc/resolv.conf", system / "etc/resolv.conf")
        # Services that packages bring do not start in a folder.
        (system / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
        (system / "usr/sbin/policy-rc.d").chmod(0o755)
        names = [re.sub(r"[ (].*", "", one.strip()) for one in depends.split(",")]
        quietly("chroot", system, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *names, env=QUIET)
        quietly("chroot", system, "apt-get", "clean", env=QUIET)
        system.rename(folder)
    return folder


def quietly(*words, env=None):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, env=env)
    if done.returncode != 0:
        raise AssertionError(f"{words}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


class System:
    """A copy of the bare system."""

    def __init__(self, folder):
        """Mounted, so that a test writes what it changes only, and the base stays as it is."""
        self.root = pathlib.Path(folder) / "root"
        changes, work = pathlib.Path(folder) / "changes", pathlib.Path(folder) / "work"
        for one in (self.root, changes, work):
            one.mkdir()
        quietly("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={base},upperdir={changes},workdir={work}", self.root)
        # What an installer asks for, and debootstrap does not make.
        self.path("etc/hosts").write_text("127.0.0.1 localhost\n")
        self.process = None

    def leave(self):
        self.stop()
        quietly("umount", self.root)

    def run(self, *words, user=None):
        """A command in it; its exit code and all that it says."""
        whose = [f"--userspec={user}"] if user else []
        done = subprocess.run(["chroot", *whose, self.root, *words], capture_output=True, text=True, env=QUIET, timeout=120,
                              stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout + done.stderr

    def install(self, deb):
        """As an administrator does; what is changed in the configuration stays, as at a prompt that is answered with Enter."""
        shutil.copy(deb, self.root / "root" / deb.name)
        return self.must("dpkg", "--install", "--force-confdef", "--force-confold", f"/root/{deb.name}")

    def must(self, *words):
        code, text = self.run(*words)
        if code != 0:
            raise AssertionError(f"{words}: {text}")
        return text

    def path(self, name):
        return self.root / name

    def users(self):
        return {line.split(":")[0]: line.split(":") for line in self.path("etc/passwd").read_text().splitlines()}

    def files(self):
        """What is there, but for what every package changes: lists, logs, caches, and backups of the user database."""
        left_out = re.compile(r"(var/(log|cache|lib/dpkg|lib/apt)|etc/(passwd|group|shadow|gshadow)-?$|etc/\.pwd\.lock|root/|run/|proc/|dev/|sys/)")
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if not left_out.match(str(path.relative_to(self.root)))}

    def serve(self, port, log):
        """What the unit starts, as the user that the package made; returns when it answers."""
        words = re.search(r"^ExecStart=(.*)$", self.path(UNIT).read_text(), re.M)[1]
        words = words.replace("%d/configuration", f"/{CONFIGURATION}").replace("%S", "/var/lib").split()
        state = self.path("var/lib/flowstore")
        state.mkdir(exist_ok=True)
        shutil.chown(state, *self.owner())
        with open(log, "ab") as out:
            self.process = subprocess.Popen(["chroot", "--userspec=flowstore:flowstore", self.root, *words],
                                            env={**QUIET, "PORT": str(port)}, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                return ask(port, "GET", "/health")
            time.sleep(0.05)
        raise AssertionError(pathlib.Path(log).read_text())

    def owner(self):
        _, _, uid, gid, *_ = self.users()["flowstore"]
        return int(uid), int(gid)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            return self.process.wait(PATIENCE)
        return None


def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("localhost", port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def newer(deb, folder, configuration=None):
    """The package as a later version, which may bring another default configuration."""
    content = pathlib.Path(folder) / "newer"
    quietly("dpkg-deb", "-R", deb, content)
    control = content / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*$", "Version: 99.0-1", control.read_text(), flags=re.M))
    if configuration:
        (content / CONFIGURATION).write_text(configuration)
        sums = content / "DEBIAN/md5sums"
        digest = hashlib.md5(configuration.encode()).hexdigest()
        sums.write_text(re.sub(rf"^\w+(?=  {CONFIGURATION}$)", digest, sums.read_text(), flags=re.M))
    target = pathlib.Path(folder) / "flowstore_99.0-1_amd64.deb"
    quietly("dpkg-deb", "--root-owner-group", "-Znone", "-b", content, target)
    return target


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="package-", dir=run.tmp)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.system = System(self.folder)
        self.addCleanup(self.system.leave)


class Package(Case):
    def test_serves_as_a_user_of_its_own_with_the_configuration_that_it_brings(self):
        self.system.install(package)
        code, text = self.system.run("flowstore", "--version")
        self.assertEqual((code, text), (0, f"flowstore {field(package, 'Version').split('-')[0]}\n"))
        self.assertEqual(self.system.run("ff-file-storage", "--version"), (code, text))
        _, _, uid, _, _, home, shell = self.system.users()["flowstore"]
        self.assertLess(int(uid), 1000)  # a user of the system
        self.assertEqual((home, shell), ("/var/lib/flowstore", "/usr/sbin/nologin"))
        port = run_all.free_ports(1)
        self.assertEqual(self.system.serve(port, log_path(self.folder)), (200, b'{"statusCode":200,"status":"ok"}'))
        self.assertEqual(ask(port, "GET", "/v1/files/t/p/a")[0], 503)  # there is no platform
        self.assertEqual(self.system.stop(), 0)
        self.assertTrue(self.system.path("var/lib/flowstore/var/context.db").exists())

    def test_keeps_its_configuration_from_others(self):
        self.system.install(package)
        path = self.system.path(CONFIGURATION)
        self.assertEqual((stat.S_IMODE(path.stat().st_mode), path.stat().st_uid, path.stat().st_gid), (0o640, 0, self.system.owner()[1]))
        self.assertEqual(self.system.run("cat", f"/{CONFIGURATION}", user="nobody:nogroup")[0], 1)

    def test_is_enabled_with_a_unit_that_is_as_strict_as_it_is_said_to_be(self):
        self.system.install(package)
        self.assertEqual(self.system.path(UNIT).read_text(), (ROOT / "packaging/systemd/flowstore.service").read_text())
        wanted = self.system.path("etc/systemd/system/multi-user.target.wants/flowstore.service")
        self.assertTrue(wanted.is_symlink())
        # Its own user instead of one that comes and goes must not cost anything.
        whole = pathlib.Path(self.folder) / "flowstore.service"
        own = self.system.path(f"{UNIT}.d/user.conf").read_text()
        whole.write_text(self.system.path(UNIT).read_text().replace("[Install]", own + "[Install]"))
        result = quietly("systemd-analyze", "security", "--offline=true", f"--threshold={round(EXPOSURE * 10)}", "--no-pager", whole)
        self.assertIn(f"exposure level for flowstore.service: {EXPOSURE}", result)

    def test_brings_pages_and_completions(self):
        self.system.install(package)
        for name in ("man/man1/flowstore.1.gz", "man/man1/ff-file-storage.1.gz", "man/man5/flowstore.yml.5.gz",
                     "bash-completion/completions/flowstore", "zsh/vendor-completions/_flowstore", "doc/flowstore/copyright",
                     "doc/flowstore/changelog.gz"):
            self.assertTrue(self.system.path(f"usr/share/{name}").is_file(), name)

    def test_is_as_debian_wants_it(self):
        for line in quietly("dpkg-deb", "-c", package).splitlines():
            self.assertRegex(line, r"^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--|lrwxrwxrwx) root/root ")
        self.assertRegex(field(package, "Description"), r"^\S.*\n \S")
        self.assertNotRegex(field(package, "Description"), r"(?m)^  ")


class Upgrade(Case):
    def test_takes_a_new_default_where_nothing_was_changed(self):
        self.system.install(package)
        self.system.install(newer(package, self.folder, "host: localhost\ndriver: {type: memory}\nbase_url: http://localhost\n"))
        self.assertIn("memory", self.system.path(CONFIGURATION).read_text())
        self.assertEqual(stat.S_IMODE(self.system.path(CONFIGURATION).stat().st_mode), 0o640)
        self.assertIn("Version: 99.0-1", self.system.must("dpkg", "-s", "flowstore"))

    def test_keeps_the_configuration_the_files_and_the_user(self):
        self.system.install(package)
        owner = self.system.owner()
        edited = json.dumps({"host": "localhost", "driver": {"type": "localfs", "options": {"root": "var/root"}},
                             "auth": {"type": "static", "tokens": [{"token": TOKEN, "project": "p"}]}})
        self.system.path(CONFIGURATION).write_text(edited)
        self.system.path(CONFIGURATION).chmod(0o600)  # an administrator's choice
        shutil.chown(self.system.path(CONFIGURATION), *owner)
        port = run_all.free_ports(1)
        self.system.serve(port, log_path(self.folder))
        self.assertEqual(ask(port, "POST", "/v1/files/t/p/a", b"kept")[0], 200)
        self.system.stop()
        self.system.install(newer(package, self.folder, "host: localhost\n"))
        status = self.system.path(CONFIGURATION).stat()
        self.assertEqual(self.system.path(CONFIGURATION).read_text(), edited)
        self.assertEqual((stat.S_IMODE(status.st_mode), status.st_uid, self.system.owner()), (0o600, owner[0], owner))
        self.assertEqual(self.system.path(CONFIGURATION + ".dpkg-dist").read_text(), "host: localhost\n")
        self.system.serve(port, log_path(self.folder))
        self.assertEqual(ask(port, "GET", "/v1/files/t/p/a"), (200, b"kept"))


class Removal(Case):
    def test_keeps_the_configuration_until_it_is_purged(self):
        before = self.system.files()
        self.system.install(package)
        self.system.must("dpkg", "--remove", "flowstore")
        self.assertTrue(self.system.path(CONFIGURATION).exists())
        self.assertFalse(self.system.path("usr/bin/flowstore").exists())
        self.system.must("dpkg", "--purge", "flowstore")
        self.assertEqual(self.system.files() - before, set())
        self.assertNotIn("flowstore", self.system.users())

    def test_never_takes_what_is_stored(self):
        self.system.install(package)
        owner = self.system.owner()
        stored = self.system.path("var/lib/flowstore/var/root/team/project/file")
        stored.parent.mkdir(parents=True)
        stored.write_text("precious")
        text = self.system.must("dpkg", "--purge", "flowstore")
        self.assertIn("/var/lib/flowstore still holds files and context", text)
        self.assertEqual(stored.read_text(), "precious")
        self.assertFalse(self.system.path("etc/flowstore").exists())
        # Its owner is still a user, and the same one after another installation.
        self.system.install(package)
        self.assertEqual(self.system.owner(), owner)


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("test_package.py: a system of its own needs root")
    if sys.argv[1:] == ["--prepare"]:
        print(base_system(field(built(), "Depends")))
    else:
        unittest.main(verbosity=2)
