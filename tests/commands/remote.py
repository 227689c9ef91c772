"""Commands with files on a real S3 store and context in a real PostgreSQL."""
import json
import os
import pathlib
import sys

from commands import ROOT, CommandTest

sys.path.insert(0, str(ROOT / "tests/s3"))
from planted import PASSWORD  # noqa: E402
from server import Server, driver_of  # noqa: E402
from services import store_and_database  # noqa: E402

BINARIES = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]


def begin():
    """For setUpModule(): what RemoteTest stands on."""
    global run, engine, postgres_port
    run, engine, postgres_port = store_and_database()


class RemoteTest(CommandTest):
    def bucket(self, name):
        """A client of a new bucket."""
        return engine.bucket(f"commands-{os.getpid()}-{name}")

    def server(self, name="home", bucket=None, url=None, **more):
        """With a bucket, its files are there; `url` is where it finds the store, if not directly."""
        if bucket is None:
            return super().server(name, **more)
        return self.at_home(Server(self.home(name), bucket, url, **more))

    def s3_config(self, server, name, **more):
        """A new bucket, and a configuration file: that of the server, but with the files in there."""
        bucket = self.bucket(name)
        return bucket, self.config_file(f"{name}.yml", {**server.config, "driver": driver_of(bucket), **more})

    def postgres_context(self, name):
        """Context in a new database."""
        database = f"commands_{os.getpid()}_{name}"
        run.command(BINARIES / "createdb", "-h", "127.0.0.1", "-p", postgres_port, "-U", "postgres", database,
                    env={"PGPASSWORD": PASSWORD}, log="createdb")
        return {"type": "sequelize", "options": {"type": "postgres", "host": "127.0.0.1", "port": postgres_port,
                                                 "database": database, "username": "postgres", "password": PASSWORD}}

    def sql(self, context, statement):
        """What PostgreSQL answers, without any frame."""
        return run.command("psql", "-At", "-h", "127.0.0.1", "-p", postgres_port, "-U", "postgres",
                           "-d", context["options"]["database"], "-c", statement, env={"PGPASSWORD": PASSWORD}, log="psql")

    def objects(self, bucket):
        """The content of all objects but flowstore's own."""
        return {key: bucket.get(key) for key in bucket.objects() if not key.startswith(".flowstore/")}

    def contexts_in(self, config, server, *projects):
        """What a server would say of them with another configuration file."""
        own, server.config = server.config, {**json.loads(config.read_text()), "port": server.port}
        found = self.contexts(server, *projects)
        server.config = own
        server.write_config()
        return found
