#!/usr/bin/env python3
"""The container image as Docker Compose and the Helm chart of FlowFuse run it, without a Docker engine: script/image
lays its file system out, tests/support/contained.py runs what packaging/Dockerfile says in it. Needs root.
"""
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ("tests/support", "tests/s3", "tests/contract"):
    sys.path.insert(0, str(ROOT / folder))
from dockerfile import Image  # noqa: E402
from flowstore import PROJECT, Flowstore, run_all  # noqa: E402
from planted import PASSWORD  # noqa: E402
from run_cases import Platform  # noqa: E402
from s3_client import REGION, S3  # noqa: E402
from tcp_proxy import Background, TcpProxy, server_tls  # noqa: E402

BUILD = os.environ.get("IMAGE_BUILD", str(ROOT / "build/release"))
CONTAINED = [sys.executable, str(ROOT / "tests/support/contained.py")]
HOME = "/usr/src/flowforge-file-server"
ROOT_USER, HELM_USER = ("--user=0", "--group=0"), ("--user=1000", "--group=1000")
ANY_USER = ("--user=100123", "--group=0")  # as OpenShift gives them out
PATIENCE = 60
OF_PLATFORM = {"Authorization": f"Bearer tok.{PROJECT}.empty"}


def setUpModule():
    global run, layout
    run = run_all.Run()
    unittest.addModuleCleanup(run.close)
    layout = run.tmp / "image"
    subprocess.run([ROOT / "script/image", layout, BUILD], check=True)


def health_check_of_compose(port):
    """In the words that FlowFuse's Compose file has for it."""
    script = (f"require('http').get('http://127.0.0.1:{port}/health', res => "
              "process.exit(res.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))")
    return ["node", "-e", script]


def run_in_image(*words, user=HELM_USER, volumes=()):
    mounts = [f"--volume={volume}" for volume in volumes or (f"{run.tmp}/nothing:/nothing:ro",)]
    (run.tmp / "nothing").mkdir(exist_ok=True)
    return subprocess.run([*CONTAINED, *user, *mounts, layout, *words], capture_output=True, text=True, timeout=PATIENCE)


class Container(Flowstore):
    """flowstore in the image. What it may see of the machine are `volumes`, of which `etc` is one."""

    def __init__(self, folder, driver, user=HELM_USER, volumes=None, **more):
        super().__init__(folder, driver, **more)
        self.program = Image().command
        self.user = user
        self.volumes = volumes if volumes is not None else [f"{self.home}/var:{HOME}/var"]
        (self.home / "var").mkdir()
        os.chown(self.home / "var", int(user[0].split("=")[1]), int(user[1].split("=")[1]))

    def mounts(self):
        return [f"--volume={volume}" for volume in (f"{self.home}/etc:{HOME}/etc:ro", *self.volumes)]

    def start(self, **how):
        return super().start(wrapper=[*CONTAINED, *self.user, *self.mounts(), layout], **how)

    def run_beside(self, *words):
        """Another program in the same image, with the same volumes and network."""
        return subprocess.run([*CONTAINED, *self.user, *self.mounts(), layout, *words], capture_output=True, text=True, timeout=PATIENCE)

    def stored(self, name):
        return (self.home / "var/root/team" / PROJECT / name).read_bytes()


class Case(unittest.TestCase):
    def container(self, driver=None, **how):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="container-", dir=run.tmp))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        server = Container(folder, driver or {"type": "localfs", "options": {"root": "var/root"}}, **how)
        self.addCleanup(server.stop)
        return server

    def use(self, server):
        self.assertEqual(server.write("a/b", b"x" * 300_000).status, 200)  # more than stays in memory
        self.assertEqual(server.append("a/b", b"y").status, 200)
        self.assertEqual(server.read("a/b").body, b"x" * 300_000 + b"y")
        if "context" in server.config:
            body, kind = b'[{"key":"k","value":1}]', {"Content-Type": "application/json"}
            self.assertEqual(server.ask("POST", f"/v1/context/{PROJECT}/global", body, kind).status, 200)
            self.assertEqual(server.ask("GET", f"/v1/context/{PROJECT}/global?key=k").body, body)


class Layout(unittest.TestCase):
    def setUp(self):
        self.image = Image()

    def test_is_all_that_the_image_is_made_of(self):
        self.assertEqual(self.image.base, "scratch")
        self.assertEqual(self.image.all("COPY"), ["--from=build /image/ /"])
        self.assertIn("RUN script/image /image\n", (ROOT / "packaging/Dockerfile").read_text())

    def test_has_the_paths_of_flowfuses_image(self):
        self.assertEqual(self.image.environment["FLOWFORGE_HOME"], HOME)
        self.assertEqual((self.image.folder, self.image.ports), (f"{HOME}/app", ["3001"]))
        for name in ("app", "bin", "etc", "var"):
            self.assertTrue((layout / HOME[1:] / name).is_dir(), name)
        self.assertEqual(self.image.volumes, [f"{HOME}/var"])
        for words in (self.image.command, ["ff-file-storage"], ["flowstore"]):
            result = run_in_image(*words, "--version")
            self.assertRegex(result.stdout, r"^flowstore \d", result.stderr)

    def test_holds_no_shell_and_nothing_that_gains_rights(self):
        programs = {path.name for path in layout.rglob("*bin/*")}
        self.assertEqual(programs, {"flowstore", "node", "ff-file-storage"})
        for path in layout.rglob("*"):
            mode = path.lstat().st_mode
            self.assertFalse(mode & (stat.S_ISUID | stat.S_ISGID), path)
            self.assertFalse(mode & stat.S_IWOTH and not stat.S_ISLNK(mode), path)
        self.assertFalse((layout / "tmp").exists())

    def test_tells_scanners_which_packages_are_in_it_and_their_licences(self):
        known = {path.name: path.read_text() for path in (layout / "var/lib/dpkg/status.d").iterdir()}
        for package in ("libc6", "libarchive13", "libpq5", "libssl3", "libsqlite3-0", "ca-certificates"):
            self.assertRegex(known[package], r"(?m)^Version: \d")
        for package in known:
            self.assertTrue((layout / "usr/share/doc" / package / "copyright").exists(), package)


class HealthCheck(Case):
    def test_of_compose_is_understood(self):
        server = self.container().start()
        result = server.run_beside(*health_check_of_compose(server.port))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        server.stop()
        self.assertEqual(server.run_beside(*health_check_of_compose(server.port)).returncode, 1)

    def test_of_the_image_is_understood(self):
        server = self.container().start()
        result = server.run_beside(*Image().health_check)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        server.stop()
        self.assertEqual(server.run_beside(*Image().health_check).returncode, 1)

    def test_fails_for_any_other_answer(self):
        server = self.container().start()
        result = server.run_beside("node", "-e", f"get('http://127.0.0.1:{server.port}/v1/quota/t/p')")
        self.assertEqual(result.returncode, 1)
        self.assertIn("HTTP/1.1 401 Unauthorized", result.stderr)

    def test_is_all_that_node_can_do(self):
        for words in (["node"], ["node", "app.js"], ["node", "-e", "console.log(1)"], ["node", "-e", "get('http://')"]):
            result = run_in_image(*words)
            self.assertEqual(result.returncode, 2, words)
            self.assertIn("no Node.js", result.stderr)


class Compose(Case):
    """As root, with the configuration as a single file that cannot be written, and a volume at var/root."""

    def container(self, **how):
        server = super().container(user=ROOT_USER, volumes=[], **how)
        (server.home / "var/root").mkdir()
        server.volumes = [f"{server.home}/var/root:{HOME}/var/root"]
        return server

    def test_keeps_what_is_on_the_volume(self):
        server = self.container()
        server.start()
        self.use(server)
        server.stop()
        server.start()
        self.assertEqual(server.read("a/b").body, server.stored("a/b"))

    def test_finds_the_files_of_the_old_image_which_root_wrote(self):
        server = self.container()
        folder = server.home / "var/root/team" / PROJECT
        folder.mkdir(parents=True)
        (folder / "old").write_bytes(b"from before")
        server.start()
        self.assertEqual(server.append("old", b"+").status, 200)
        self.assertEqual(server.read("old").body, b"from before+")
        self.assertEqual(server.remove("old").status, 200)

    def test_stops_when_it_is_told_to_as_the_first_process(self):
        for number in (15, 2):  # Docker's own, and that of FlowFuse's installer
            server = self.container()
            server.start()
            server.process.send_signal(number)
            self.assertEqual(server.process.wait(PATIENCE), 0)


class Helm(Case):
    """As user 1000, nothing but var may be written, or nothing at all."""

    def test_runs_on_a_volume_with_the_database_of_the_chart(self):
        with run_all.postgres(run) as port:
            make_role(port, "forge", "0123456789")
            platform = self.platform()
            server = self.container()
            server.config = rendered(CHART, {"PGPASSWORD": "0123456789"}).format(
                platform=platform.srv.server_port, postgres=port)
            server.start(PORT=str(server.port), NODE_ENV="production")
            self.assertEqual(server.write("a", b"x", headers=OF_PLATFORM).status, 200)
            self.assertEqual(server.stored("a"), b"x")
            answer = server.ask("GET", f"/v1/context/{PROJECT}/cache", headers=OF_PLATFORM)
            self.assertEqual(answer.status, 200, server.logged())

    def test_trusts_the_authority_of_the_chart(self):
        certificate, key = self.authority()
        ca = run.tmp / "ssl-certs"  # as a volume of Kubernetes: everybody may read
        ca.mkdir()
        shutil.copyfile(certificate, ca / "chain.pem")
        background = Background()
        self.addCleanup(background.stop)
        secure = TcpProxy(background, self.platform().srv.server_port, server_tls(certificate, key))
        server = self.container(base_url=f"https://localhost:{secure.port}", auth={"type": "flowfuse"})
        server.start()
        self.assertEqual(server.write("a", b"x", headers=OF_PLATFORM).status, 503)
        server.stop()
        server.volumes.append(f"{ca}:/usr/local/ssl-certs:ro")
        server.start(NODE_EXTRA_CA_CERTS="/usr/local/ssl-certs/chain.pem")
        self.assertEqual(server.write("a", b"x", headers=OF_PLATFORM).status, 200)

    def test_needs_nothing_to_write_on_with_s3_and_postgres(self):
        with run_all.s3(run) as store, run_all.postgres(run) as port:
            bucket = S3(store, "image")
            bucket.create_bucket()
            server = self.container({"type": "s3", "options": {
                "bucket": "image", "region": REGION, "endpoint": store, "forcePathStyle": True,
                "credentials": {"accessKeyId": bucket.key, "secretAccessKey": bucket.secret}}}, volumes=[], context={
                    "type": "db", "options": {"type": "postgres", "host": "127.0.0.1", "port": port, "username": "postgres",
                                              "password": PASSWORD, "database": "flowstore_contract"}})
            server.start()
            self.use(server)
            self.assertEqual(list((server.home / "var").iterdir()), [])

    def test_any_user_of_group_0_may_write_on_a_new_volume(self):
        server = self.container(user=ANY_USER, context={"type": "db", "options": {"type": "sqlite"}})
        shutil.rmtree(server.home / "var")
        # What Docker does with a new volume: content, owner and mode are those of the image.
        subprocess.run(["cp", "-a", layout / HOME[1:] / "var", server.home / "var"], check=True)
        server.start()
        self.use(server)

    def platform(self):
        platform = Platform(run_all.free_ports(1))
        self.addCleanup(platform.stop)
        return platform

    def authority(self):
        folder = pathlib.Path(tempfile.mkdtemp(dir=run.tmp))
        files = folder / "ca.pem", folder / "ca.key"
        run.command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-keyout", files[1], "-out", files[0], "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    log="openssl")
        return files


# What the chart's template becomes before a container of its own replaces what stands in <%= %>: numbers as Helm writes
# them, and a password without quotes.
CHART = """\
host: '127.0.0.1'
port: 3001
base_url: http://127.0.0.1:{platform}
driver:
  type: localfs
  quota: 1.048576e+08
  options:
      root: var/root
context:
  type: sequelize
  quota: 1.048576e+06
  options:
    type: postgres
    host: 127.0.0.1
    port: {postgres}
    username: forge
    database: flowstore_contract
    password: <%= ENV['PGPASSWORD'] %>
telemetry:
  backend:
    prometheus:
      enabled: false
logging:
  level: info
  http: info
"""


def rendered(template, environment):
    """As ERB does it."""
    return re.sub(r"<%= ENV\['(\w+)'\] %>", lambda found: environment[found[1]], template)


def make_role(port, name, password):
    words = f"CREATE ROLE {name} LOGIN PASSWORD '{password}'; ALTER DATABASE flowstore_contract OWNER TO {name}"
    run.command("psql", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-d", "flowstore_contract", "-c",
                words, env={"PGPASSWORD": PASSWORD}, log="psql")


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("test_image.py: mounting needs root")
    unittest.main(verbosity=2)
