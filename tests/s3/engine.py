#!/usr/bin/env python3
"""A real S3 store for tests: Ceph with the RADOS Gateway, all of it on the loopback address.

  engine.py run [--dir DIR] [--port PORT] [-- WORD...]   start, run the command with FLOWSTORE_S3 set
                                                         (without one: wait for the end of input), stop
  engine.py start --dir DIR [--port PORT]                start, and leave it running
      --nagle    the gateway's own default: every small answer 44 ms late for most clients
  engine.py kill-gateway | start-gateway | freeze | thaw | stop --dir DIR

A monitor, one storage daemon that keeps everything in memory, and the gateway: about two seconds and
140 MB from nothing to a bucket. It needs Debian's ceph-mon, ceph-osd and radosgw, no root, no service
and nothing outside of its folder. The key is testkey, the secret testsecret, the bucket test.
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import run_all  # noqa: E402
from s3_client import S3  # noqa: E402

KEY, SECRET, BUCKET = "testkey", "testsecret", "test"
PORTS = 16  # from the gateway's on: two for the monitor, eight for the storage daemon, and some to spare
START_PATIENCE = 30  # seconds

# The clients' keyring must exist before the monitor does, and cephx must stay on: without it the
# gateway never connects. The two paxos intervals make a user in 0.5 s instead of 9. Without
# tcp_nodelay every small answer waits 44 ms for an acknowledgement.
CONFIGURATION = """
[global]
fsid = {fsid}
mon initial members = a
mon host = [v2:127.0.0.1:{mon_v2},v1:127.0.0.1:{mon_v1}]
ms bind ipv4 = true
ms bind ipv6 = false
ms bind port min = {osd_first}
ms bind port max = {osd_last}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
keyring = {folder}/keyring
paxos propose interval = 0.05
paxos min wait = 0.02
run dir = {folder}/run
pid file = {folder}/run/$name.pid
admin socket = {folder}/run/$name.asok
log file = {folder}/log/$name.log
mon cluster log file = {folder}/log/cluster.log
crash dir = {folder}/crash
ms async op threads = 2
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon warn on pool no redundancy = false
mon osd min up ratio = 0
debug ms = 0
[mon.a]
mon data = {folder}/mon
mon data avail crit = 0
mon data avail warn = 0
[osd.0]
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 8589934592
osd class update on start = true
[client.rgw]
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{gateway} tcp_nodelay={nodelay}
rgw thread pool size = 64
rgw dns name = localhost
rgw override bucket index max shards = 1
rgw dynamic resharding = false
rgw enable usage log = false
rgw enable ops log = false
rgw enable quota threads = false
rgw run sync thread = false
rgw rados pool pg num min = 4
rgw gc obj min wait = 5
"""
CAPABILITIES = {
    "mon.": ("mon", "allow *"),
    "client.admin": ("mon", "allow *", "osd", "allow *", "mgr", "allow *"),
    "client.rgw": ("mon", "allow *", "osd", "allow *", "mgr", "allow *"),
    "osd.0": ("mon", "allow profile osd", "osd", "allow *", "mgr", "allow profile osd"),
}
# Debian has the daemons in /usr/bin and the tools in /usr/sbin or there; an ordinary user's PATH
# need not name both.
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/bin", "/usr/sbin"])


def is_installed():
    return all(shutil.which(name, path=PATH) for name in ("ceph-mon", "ceph-osd", "radosgw"))


class EngineFailed(Exception):
    """Ceph did not do what it should; the message ends with what it wrote."""


class Engine:
    """One cluster in a folder. Several programs may hold one for the same folder, one after the other:
    which process is which is remembered there."""

    def __init__(self, folder, port=None, detached=False, nodelay=True):
        """With `detached`, what it starts outlives this process and its group."""
        self.folder = pathlib.Path(folder).resolve()
        self.nodelay = nodelay
        self.detached = detached
        self.children = {}  # those that this process has to wait for
        remembered = self.folder / "port"
        if port is None:
            port = int(remembered.read_text()) if remembered.exists() else run_all.free_ports(PORTS)
        self.port = int(port)
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def bucket(self, name=BUCKET):
        """A client of a bucket, made if it is not there."""
        bucket = S3(self.url, name, KEY, SECRET)
        bucket.create_bucket()
        return bucket

    def start(self):
        if (self.folder / "port").exists():
            raise EngineFailed(f"{self.folder} is in use; stop that first")
        try:
            self._prepare()
            self._start_monitor()
            self._start_osd()
            self._run("radosgw-admin", "-n", "client.rgw", "user", "create", "--uid=tester", "--display-name=tester",
                      f"--access-key={KEY}", f"--secret-key={SECRET}")
            self.start_gateway()
            self.bucket()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """Everything goes, the data with it."""
        for name in ("gateway", "osd", "mon"):
            self._kill(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- faults
    def kill_gateway(self):
        """A new bucket then takes up to 30 s: the dead gateway is waited for. Objects do not."""
        self._kill("gateway")

    def start_gateway(self):
        """Returns when it answers."""
        self._spawn("gateway", "radosgw", "-n", "client.rgw", "-f")
        self._wait("gateway", lambda: S3(self.url, "", KEY, SECRET).request("GET", timeout=2).status == 200)

    def freeze(self):
        """The store hangs: it takes connections and requests and answers none."""
        os.kill(self._process("osd"), signal.SIGSTOP)

    def thaw(self):
        os.kill(self._process("osd"), signal.SIGCONT)

    # ---- how it comes up
    def _prepare(self):
        for name in ("mon", "osd", "rgw", "run", "log"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "port").write_text(str(self.port))
        fsid = str(uuid.uuid4())
        (self.folder / "ceph.conf").write_text(CONFIGURATION.format(
            fsid=fsid, folder=self.folder, gateway=self.port, mon_v2=self.port + 1, mon_v1=self.port + 2,
            osd_first=self.port + 3, osd_last=self.port + PORTS - 1, nodelay=int(self.nodelay)))
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a",
                  f"[v2:127.0.0.1:{self.port + 1},v1:127.0.0.1:{self.port + 2}]", self.folder / "monmap", configured=False)
        keyring = self.folder / "keyring"
        self._run("ceph-authtool", "--create-keyring", keyring, configured=False)
        for name, words in CAPABILITIES.items():
            pairs = [word for pair in zip(words[::2], words[1::2]) for word in ("--cap", *pair)]
            self._run("ceph-authtool", keyring, "--gen-key", "-n", name, *pairs, configured=False)

    def _start_monitor(self):
        self._run("ceph-mon", "-i", "a", "--mkfs", "--monmap", self.folder / "monmap", "--keyring", self.folder / "keyring")
        self._spawn("mon", "ceph-mon", "-i", "a", "-f")
        self._run("ceph", "--connect-timeout", "20", "mon", "enable-msgr2")

    def _start_osd(self):
        identity = str(uuid.uuid4())
        self._run("ceph", "osd", "create", identity, "0")
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", identity)
        self._spawn("osd", "ceph-osd", "-i", "0", "-f")
        self._wait("osd", lambda: '"num_up_osds":1' in self._run("ceph", "osd", "stat", "-f", "json"))

    # ---- processes
    def _environment(self):
        return {**os.environ, "PATH": PATH, "LC_ALL": "C.UTF-8"}

    def _run(self, program, *words, configured=True):
        command = [program, *(["-c", self.folder / "ceph.conf"] if configured else []), *words]
        done = subprocess.run([str(word) for word in command], env=self._environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=START_PATIENCE)
        if done.returncode != 0:
            raise EngineFailed(f"{program} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def _spawn(self, name, program, *words):
        with open(self.folder / "log" / f"{name}.out", "ab") as log:
            child = subprocess.Popen([program, "-c", str(self.folder / "ceph.conf"), *words], env=self._environment(),
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=self.detached)
        self.children[name] = child
        (self.folder / f"{name}.process").write_text(str(child.pid))

    def _wait(self, name, is_up):
        deadline = time.monotonic() + START_PATIENCE
        while True:
            with contextlib.suppress(OSError):
                if is_up():
                    return
            if not self._process(name) or time.monotonic() > deadline:
                raise EngineFailed(f"{name} did not come up: {self._log(name)}")
            time.sleep(0.02)

    def _process(self, name):
        """Its id, if that still is the process that was started here."""
        if child := self.children.get(name):  # one that has just been started has no command line yet
            return child.pid if child.poll() is None else None
        with contextlib.suppress(OSError, ValueError):
            process = int((self.folder / f"{name}.process").read_text())
            if str(self.folder / "ceph.conf").encode() in pathlib.Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0"):
                return process
        return None

    def _kill(self, name):
        if process := self._process(name):
            os.kill(process, signal.SIGKILL)  # also ends one that is frozen
        if child := self.children.pop(name, None):
            child.wait()
        while self._process(name):  # a child of another program
            time.sleep(0.01)

    def _log(self, name):
        with contextlib.suppress(OSError):
            return (self.folder / "log" / f"{name}.out").read_text(errors="replace")[-4000:]
        return ""


def run(options):
    with contextlib.ExitStack() as stack:
        folder = options.dir or stack.enter_context(tempfile.TemporaryDirectory(prefix="flowstore-s3-"))
        engine = stack.enter_context(Engine(pathlib.Path(folder) / "ceph", options.port, nodelay=not options.nagle))
        if options.words:
            return subprocess.run(options.words, env={**os.environ, "FLOWSTORE_S3": engine.url}).returncode
        print(engine.url, flush=True)
        sys.stdin.read()
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run", "start", "stop", "kill-gateway", "start-gateway", "freeze", "thaw"])
    parser.add_argument("--dir", type=pathlib.Path)
    parser.add_argument("--port", type=int)
    parser.add_argument("--nagle", action="store_true")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.command == "run":
        return run(options)
    if not options.dir:
        parser.error("--dir is needed")
    engine = Engine(options.dir, options.port, detached=True, nodelay=not options.nagle)
    getattr(engine, options.command.replace("-", "_"))()
    if options.command == "start":
        print(engine.url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
