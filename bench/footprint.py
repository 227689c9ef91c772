"""What a server takes that has nothing to do, and how soon it serves; each measurement has a fresh one."""
import contextlib
import resource
import time

import machine
import old_server
from client import Client
from peers import FLOWSTORE, Failed
from rounds import Cell

ABOUT = ("Files in a folder, context in SQLite, one event loop per core. *start to serving* ends with the first answer to /health. "
         "Connections have each had one answer and are kept alive.")
CONNECTIONS, QUICK_CONNECTIONS = 4000, 500
FIRST = 50  # connections that the others are counted beside: what is made once has been made
PATIENCE = 60  # seconds
LOOK = 0.001  # seconds between two attempts to reach a server
CALM = 1.0  # seconds until what a start has left behind is over
KIB = 1 << 10


class Fresh:
    """A server that does not run yet."""

    def __init__(self, name, command, stage):
        self.name, self.command, self.stage = name, command, stage

    @contextlib.contextmanager
    def running(self):
        """Gives it and the seconds until it served."""
        config = {"driver": {"type": "localfs", "options": {"root": "var/root"}}, "workers": 0,
                  "context": old_server.context(self.command, {"type": "sqlite"})}
        begun = time.perf_counter()
        server = self.stage.launch(self.name, self.command, config)
        try:
            wait_until_served(server)
            yield server, time.perf_counter() - begun
        finally:
            server.stop()


def wait_until_served(server):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), Client(server.port, takes_any=True) as client:
            client.ask("GET", "/health")
            return
        if server.process.poll() is not None:
            break
        time.sleep(LOOK)
    raise Failed("it does not answer")


def start(peer, _):
    with peer.running() as (_, seconds):
        return {"value": seconds * 1000}


def idle_memory(peer, _):
    with peer.running() as (server, _):
        time.sleep(CALM)
        return {"value": machine.resident_mib(server.pid)}


def connection_memory(peer, count):
    with peer.running() as (server, _), contextlib.ExitStack() as stack:
        def connect(more):
            for _ in range(more):
                stack.enter_context(Client(server.port, takes_any=True)).ask("GET", "/health")
            return machine.resident_mib(server.pid)
        before = connect(FIRST)
        return {"value": (connect(count) - before) * KIB / count}


def cells(stage):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = QUICK_CONNECTIONS if stage.options.quick else CONNECTIONS
    peers = [Fresh("flowstore", FLOWSTORE, stage)]
    if stage.options.old_server:
        peers.append(Fresh("old server", stage.options.old_server, stage))
    yield Cell("start to serving", peers, start, unit="ms")
    yield Cell("idle memory", peers, idle_memory, unit="MiB")
    yield Cell("memory of an idle connection", peers, lambda peer, _: connection_memory(peer, count), unit="KiB")
