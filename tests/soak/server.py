"""The flowstore under the soak: its process, and what it holds of the machine."""
import contextlib
import json
import os
import pathlib
import re
import resource
import subprocess
import time
import urllib.request

PAGE_MIB = os.sysconf("SC_PAGESIZE") / 2**20


class Sample:
    """What the process holds at one moment. The files of the database are counted apart: its readers
    are opened as they are needed and kept, a few for each thread of the pool."""

    def __init__(self, pid):
        folder = pathlib.Path(f"/proc/{pid}")
        self.time = time.monotonic()
        self.rss_mib = int((folder / "statm").read_text().split()[1]) * PAGE_MIB
        self.threads = len(os.listdir(folder / "task"))
        names = []
        for entry in os.listdir(folder / "fd"):
            with contextlib.suppress(OSError):
                names.append(os.readlink(folder / "fd" / entry))
        self.database = sum("/context.db" in name for name in names)
        self.descriptors = len(names) - self.database


class Server:
    def __init__(self, binary, home, port, platform_port):
        self.binary, self.home, self.port = binary, home, port
        (home / "etc").mkdir(parents=True, exist_ok=True)
        config = {"host": "127.0.0.1", "port": port, "base_url": f"http://127.0.0.1:{platform_port}",
                  "driver": {"type": "localfs", "options": {"root": "var/root"}},
                  "context": {"type": "db", "options": {"type": "sqlite"}},
                  "limits": {"idleTimeout": "1h"},  # ten thousand connections are idle for long
                  "telemetry": {"backend": {"prometheus": {"enabled": True}}},
                  "logging": {"level": "warn", "http": "warn"}}
        (home / "etc/flowforge-storage.yml").write_text(json.dumps(config))

    def start(self):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        env = {key: value for key, value in os.environ.items() if key not in ("PORT", "NODE_ENV")}
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.binary], env={**env, "FLOWFORGE_HOME": str(self.home)}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)))
        for _ in range(400):
            with contextlib.suppress(OSError):
                self.get("/health")
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise SystemExit("flowstore does not answer: " + self.logged())

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as response:
            return response.read().decode()

    def metric(self, name):
        """The sum of a metric over its labels."""
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", self.get("/metrics"), re.M))

    def sample(self):
        return Sample(self.process.pid)

    def settled(self, descriptors, patience=15):
        """A sample, once no more than so many descriptors are open, or when the patience is over."""
        end = time.monotonic() + patience
        while True:
            sample = self.sample()
            if sample.descriptors <= descriptors or time.monotonic() > end:
                return sample
            time.sleep(0.1)

    def logged(self):
        return (self.home / "log").read_text(errors="replace")[-3000:]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(30)
