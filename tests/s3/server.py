"""flowstore on a bucket."""
import pathlib
import sys

from s3_client import REGION

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from flowstore import PROJECT, TOKEN, Flowstore, Reply, file_path, run_all  # noqa: E402, F401
from planted import PASSWORD  # noqa: E402, F401


def driver_of(bucket, url=None):
    """That part of the configuration."""
    return {"type": "s3", "options": {
        "bucket": bucket.bucket, "region": REGION, "endpoint": url or f"http://{bucket.address}", "forcePathStyle": True,
        "credentials": {"accessKeyId": bucket.key, "secretAccessKey": bucket.secret}}}


class Server(Flowstore):
    """Its files are objects."""

    def __init__(self, folder, bucket, url=None, **more):
        """`bucket` is its client; `url` is where flowstore finds the store, if it is not asked
        directly; `more` goes into the configuration."""
        self.bucket = bucket
        super().__init__(folder, driver_of(bucket, url), **more)

    def stored(self, name):
        return self.bucket.get(key_of(name))

    def sizes(self):
        return {key.removeprefix(key_of("")): size for key, size in self.bucket.objects(key_of("")).items()}


def let_an_hour_pass(run, postgres_port):
    """For what processes that are dead had announced and locked in the database."""
    for table, columns in (("file_changes", ["begun_at"]), ("file_usage", ["counted_at", "counting_until"]),
                           ("file_locks", ["expires"])):
        earlier = ", ".join(f"{column} = {column} - interval '1 hour'" for column in columns)
        run.command("psql", "-h", "127.0.0.1", "-p", postgres_port, "-U", "postgres", "-d", "flowstore_contract", "-c",
                    f"UPDATE flowstore_{table} SET {earlier}", env={"PGPASSWORD": PASSWORD}, log="psql")


def key_of(name):
    """The key of a file's object."""
    return f"team/{PROJECT}/{name}"
