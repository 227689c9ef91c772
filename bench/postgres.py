"""A PostgreSQL of its own for a benchmark."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

from machine import SERVER_SET
from peers import free_port


class Postgres:
    """A private server with the durable defaults, on the disk of `folder`."""

    def __init__(self, folder, log, cores=SERVER_SET):
        self.port, self.data = free_port(), folder / "postgres"
        self.data.mkdir()
        binaries = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.user = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.data, "postgres", "postgres")
            self.user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        subprocess.run([*self.user, binaries / "initdb", "-D", self.data / "db", "-U", "postgres", "-A", "trust", "--no-sync"],
                       check=True, stdout=log, stderr=log)
        self.process = subprocess.Popen(
            ["taskset", "-c", cores, *self.user, binaries / "postgres", "-D", self.data / "db", "-p", str(self.port), "-k", self.data,
             "-c", "listen_addresses=127.0.0.1"], stdout=log, stderr=log, start_new_session=True)
        for _ in range(100):
            if subprocess.run([binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0:
                break
            time.sleep(0.1)
        self.createdb, self.psql = binaries / "createdb", binaries / "psql"

    @property
    def pid(self):
        return self.process.pid

    def database(self, name):
        subprocess.run([self.createdb, "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", name], check=True)
        return {"type": "postgres", "host": "127.0.0.1", "port": self.port, "database": name, "username": "postgres", "password": "x"}

    def conninfo(self, name):
        return f"host=127.0.0.1 port={self.port} dbname={name} user=postgres"

    def run(self, name, sql):
        """Runs statements in a database that database() made; gives what they print."""
        done = subprocess.run([self.psql, "-d", self.conninfo(name), "-v", "ON_ERROR_STOP=1", "-qAt", "-c", sql], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        return done.stdout

    def stop(self):
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(30)
