"""The commands of the operator, run as processes beside a flowstore that serves, or without one."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from flowstore import FLOWSTORE, LocalFlowstore  # noqa: E402

PATIENCE = 120  # seconds for one command


class Outcome:
    """How a command ended and what it wrote."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit code {self.code}\n{self.out}\n{self.err}"

    @property
    def json(self):
        return json.loads(self.out)


def token_of(project):
    return f"planted-token-{project}"


def bearer(project):
    return {"Authorization": f"Bearer {token_of(project)}"}


def noise(count, size):
    """Files of t/p that no compression makes smaller, by name."""
    source = random.Random(7)
    return {f"t/p/f{number}": source.randbytes(size) for number in range(count)}


def environment(**more):
    left_out = ("PORT", "NODE_ENV", "FF_FS_TEST_CONFIG", "FLOWFORGE_HOME")
    env = {name: value for name, value in os.environ.items() if name not in left_out and not name.startswith("AWS_")}
    return {**env, **more}


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="flowstore-commands-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def server(self, name="home", **more):
        """A flowstore with files in a folder, not started yet; stopped at the end. Commands know its home."""
        return self.at_home(LocalFlowstore(self.home(name), **more))

    def home(self, name):
        (self.folder / name).mkdir()
        return self.folder / name

    def at_home(self, server):
        server.write_config()
        self.addCleanup(server.stop)
        return server

    def server_with(self, *projects, name="home", **more):
        """One that serves these projects, with context in SQLite."""
        tokens = [{"token": token_of(project), "project": project} for project in projects]
        context = {"type": "sequelize", "options": {"type": "sqlite", "storage": "context.db"}}
        return self.server(name, **{"auth": {"type": "static", "tokens": tokens}, "context": context, **more})

    def put(self, server, path, body):
        """A file, as a client of its project writes it: "team/project/path"."""
        answer = server.ask("POST", f"/v1/files/{path}", body, bearer(path.split("/")[1]))
        self.assertEqual(answer.status, 200, answer)

    def get(self, server, path):
        answer = server.ask("GET", f"/v1/files/{path}", headers=bearer(path.split("/")[1]))
        self.assertEqual(answer.status, 200, answer)
        return answer.body

    def set_context(self, server, project, scope, values):
        answer = server.ask("POST", f"/v1/context/{project}/cache/{scope}", json.dumps(values),
                            {"Content-Type": "application/json", **bearer(project)})
        self.assertEqual(answer.status, 200, answer)

    def context(self, server, project):
        """All scopes of a project with their values, as clients see them."""
        answer = server.ask("GET", f"/v1/context/{project}/cache?limit=1000", headers=bearer(project))
        self.assertEqual(answer.status, 200, answer)
        return {row["scope"]: row["values"] for row in json.loads(answer.body)["data"]}

    def contexts(self, server, *projects):
        """The same of several, of a server that does not run."""
        server.start()
        found = {project: self.context(server, project) for project in projects}
        server.stop()
        return found

    def tree(self, root):
        """The content of all files below a folder, but flowstore's own."""
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*")
                if path.is_file() and ".flowstore" not in path.parts}

    def interrupted(self, process, number=signal.SIGINT):
        """How a command ended that somebody wanted to stop."""
        process.send_signal(number)
        code = process.wait(PATIENCE)
        return code, process.stderr.read().decode()

    def config_file(self, name, config):
        path = self.folder / name
        path.write_text(json.dumps(config))
        return path

    def begin(self, *words, home=None, **options):
        """Starts a command and does not wait for it."""
        env = environment(**options.pop("env", {}))
        if home:
            env["FLOWFORGE_HOME"] = str(home)
        process = subprocess.Popen([FLOWSTORE, *map(str, words)], env=env, stdin=options.pop("stdin", subprocess.DEVNULL),
                                   stdout=options.pop("stdout", subprocess.PIPE), stderr=options.pop("stderr", subprocess.PIPE),
                                   **options)
        self.addCleanup(end, process)
        return process

    def run_command(self, *words, home=None, input=None, text=True, **options):
        """Runs a command to its end."""
        if input is not None:
            options["stdin"] = subprocess.PIPE
        process = self.begin(*words, home=home, **options)
        out, err = process.communicate(input, timeout=PATIENCE)
        return Outcome(process.returncode, out.decode(errors="replace") if text and out is not None else out,
                       err.decode(errors="replace"))

    def succeed(self, *words, **options):
        outcome = self.run_command(*words, **options)
        self.assertEqual(outcome.code, 0, outcome)
        return outcome


def end(process):
    if process.poll() is None:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()
