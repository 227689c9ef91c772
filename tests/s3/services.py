"""What the tests of a module stand on: begun in its setUpModule(), gone after its last test."""
import pathlib
import tempfile
import unittest

from engine import Engine
from proxy import Proxy

import run_all  # found where engine.py looks


def store(folder):
    """A real S3 store."""
    engine = Engine(folder / "ceph")
    engine.start()
    unittest.addModuleCleanup(engine.stop)
    return engine


def store_and_proxy():
    """A folder, an S3 store, and a proxy in front of that."""
    folder = pathlib.Path(unittest.enterModuleContext(tempfile.TemporaryDirectory(prefix="flowstore-s3-")))
    engine = store(folder)
    proxy = Proxy(engine.url)
    unittest.addModuleCleanup(proxy.stop)
    return folder, engine, proxy


def store_and_database():
    """A run for commands and their logs, an S3 store, and the port of a PostgreSQL."""
    run = run_all.Run()
    unittest.addModuleCleanup(run.close)
    return run, store(run.tmp), unittest.enterModuleContext(run_all.postgres(run))
