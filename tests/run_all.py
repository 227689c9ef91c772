#!/usr/bin/env python3
"""The steps of script/test: builds, then every suite, then a summary.

Everything started here runs in a process group of its own and with a temporary folder that goes at
the end, also when the run is interrupted.
"""
import argparse
import contextlib
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))
from planted import PASSWORD, secrets_in  # noqa: E402

CORES = str(len(os.sched_getaffinity(0)))
OUTPUT_SHOWN = 8000  # characters of a failed step
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


class Failed(Exception):
    """A step that did not do what it should; the message says which part, `output` shows it."""

    def __init__(self, message, output=""):
        super().__init__(message)
        self.output = output


class Run:
    """What the steps share: the temporary folder, started processes, and the counts."""

    def __init__(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="flowstore-test-"))
        self.tmp.chmod(0o755)  # PostgreSQL runs as another user
        self.logs = self.tmp / "logs"  # of all flowstores
        self.logs.mkdir()
        self.cleanups = []
        self.passed = 0
        self.failed = 0

    def close(self):
        for cleanup in reversed(self.cleanups):
            with contextlib.suppress(Exception):
                cleanup()
        shutil.rmtree(self.tmp, ignore_errors=True)

    def begin(self, *words, log, env=None, cwd=ROOT):
        """Starts a command, its output in a file; returns its process and that file."""
        path = self.tmp / f"{log}.log"
        with open(path, "wb") as out:
            process = subprocess.Popen(
                [str(word) for word in words], cwd=cwd, stdout=out, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, start_new_session=True, env=self.environment(env))
        self.cleanups.append(lambda: process.poll() is None and kill_group(process))
        return process, path

    def attempt(self, *words, timeout=3600, **options):
        """Runs a command to its end, its output in a file; returns exit code and output."""
        return self.outcome(self.begin(*words, **options), words, timeout)

    def outcome(self, begun, words, timeout):
        """Exit code and output of a command that was begun."""
        process, path = begun
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            kill_group(process)
            raise Failed(f"{words[0]} took more than {timeout} s", path.read_text(errors="replace")) from None
        return code, path.read_text(errors="replace")

    def command(self, *words, **options):
        """Runs a command that must succeed; returns its output."""
        code, text = self.attempt(*words, **options)
        if code != 0:
            raise Failed(f"{words[0]} ended with {code}", text)
        return text

    def environment(self, more=None):
        # TMPDIR: what a killed test leaves behind goes with the run.
        return {**os.environ, **SANITIZER_ENV, "TMPDIR": str(self.tmp), "FLOWSTORE_LOGS": str(self.logs), **(more or {})}

    def count(self, passed, failed=0):
        self.passed += passed
        self.failed += failed


def kill_group(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def free_ports(count):
    """Ports of the loopback address that nobody listens on, next to each other.

    They lie below the range from which the kernel takes the ports of outgoing connections, so that
    none of those is in the way later.
    """
    while True:
        start = random.randrange(12000, 32000)
        with contextlib.ExitStack() as stack:
            try:
                for port in range(start, start + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return start


# ---------------------------------------------------------------- builds
def build(preset, configured=None):
    """Builds what the build preset names, in the folder of its configure preset."""
    def step(run):
        run.command("cmake", "--preset", configured or preset, log=f"build-{preset}")
        run.command("cmake", "--build", "--preset", preset, log=f"build-{preset}")
    return step


def lint(run):
    run.command("script/lint", log="lint")


def tidy(run):
    run.command("script/lint", "--tidy", log="tidy")


# ---------------------------------------------------------------- suites
def unit(preset):
    """Unit and conformance tests; each GoogleTest counts."""
    def step(run):
        with s3(run) as store:
            code, text = run.attempt("ctest", "--preset", preset, "-V", "-j", CORES, "--timeout", "900",
                                     log=f"unit-{preset}", env={"FLOWSTORE_S3": store})
        passed = sum(int(n) for n in re.findall(r"\[  PASSED  \] (\d+) tests?", text))
        failed = sum(int(n) for n in re.findall(r"\[  FAILED  \] (\d+) tests?, listed", text))
        run.count(passed, failed)
        if code != 0:
            raise Failed("tests failed", of_failed_programs(text))
        if passed == 0:
            raise Failed("no test ran")
        # Mounting needs root; nothing else is a reason to skip, and nothing at all is in CI.
        unexplained = skipped(text)
        if unexplained and (os.geteuid() == 0 or os.environ.get("CI")):
            raise Failed("a test was skipped", "\n".join(unexplained))
    return step


def skipped(text):
    """The tests that were skipped, but for those that a driver is known not to pass."""
    deviations = set(re.findall(r"^\d+: (\w+) deviates: (\w+)$", text, re.M))
    names = re.findall(r"\[  SKIPPED \] (?:\w+/)?\w+\.(\w+)(?:/(\w+))?", text)
    return sorted({f"{driver} {test}" for test, driver in names if (driver, test) not in deviations})


def of_failed_programs(text):
    """What the test programs wrote that failed, out of the output of `ctest -V`."""
    numbers = re.findall(r"^\s+(\d+) - .* \(.*\)$", text, re.M)
    return "\n".join(re.findall(rf"^(?:{'|'.join(numbers) or '-'}): (?!\[       OK \]|\[ RUN      \]).*$", text, re.M))


@contextlib.contextmanager
def postgres(run):
    """A PostgreSQL of its own, with data that goes with the run; yields its port."""
    binaries = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    data = run.tmp / "postgres"
    data.mkdir(exist_ok=True)
    as_postgres = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(data, "postgres", "postgres")
        as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    secret = data.parent / "postgres-password"
    secret.write_text(f"{PASSWORD}\n")
    port = free_ports(1)
    run.command(*as_postgres, binaries / "initdb", "-D", data / "db", "-U", "postgres", "-A", "scram-sha-256",
                f"--pwfile={secret}", "--no-sync", log="postgres")
    with open(run.tmp / "postgres-server.log", "ab") as log:
        server = subprocess.Popen(
            [*as_postgres, binaries / "postgres", "-D", data / "db", "-p", str(port), "-k", data,
             "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=300"],
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    run.cleanups.append(lambda: kill_group(server))
    for _ in range(100):
        if subprocess.run([binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]).returncode == 0:
            break
        time.sleep(0.1)
    run.command(binaries / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "flowstore_contract",
                env={"PGPASSWORD": PASSWORD}, log="postgres")
    try:
        yield port
    finally:
        kill_group(server)
        shutil.rmtree(data, ignore_errors=True)


@contextlib.contextmanager
def s3(run):
    """An S3 store of its own; yields its URL. See tests/s3/engine.py for its key and bucket."""
    path = run.tmp / "s3-engine.log"
    with open(path, "ab") as log:
        engine = subprocess.Popen(
            [sys.executable, ROOT / "tests/s3/engine.py", "run"], env=run.environment(), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=log, start_new_session=True, text=True)
    run.cleanups.append(lambda: kill_group(engine))
    url = engine.stdout.readline().strip()
    try:
        if not url:
            raise Failed("the S3 store did not start", path.read_text(errors="replace"))
        yield url
    finally:
        engine.stdin.close()
        engine.stdout.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            engine.wait(10)
        kill_group(engine)


def contract(preset="release", on_s3=False, wrapper=(), command=()):
    """The recorded cases of the HTTP contract, context on both databases. `wrapper` are the words of a
    command that becomes flowstore, `command` those of one that runs another."""
    def step(run):
        ports = free_ports(12)
        log = f"contract-{preset}{'-s3' if on_s3 else ''}{'-wrapped' if wrapper else '-command' if command else ''}"
        flowstore = shlex.join(map(str, command or [*wrapper, ROOT / "build" / preset / "flowstore"]))
        home = run.tmp / log
        with contextlib.ExitStack() as services:
            pg_port = services.enter_context(postgres(run))
            files = ["--file-driver", "s3", "--s3", services.enter_context(s3(run))] if on_s3 else []
            code, text = run.attempt(
                sys.executable, "tests/contract/run_cases.py", "--spawn", flowstore,
                "--quiet", "--platform-port", ports, "--dead-port", ports + 1,
                "--port-base", ports + 2, "--pg-port", pg_port, "--pg-password", PASSWORD, "--tmp", home, *files, log=log)
        logs = "".join(path.read_text(errors="replace") for path in home.glob("*/server.log"))
        result = re.search(r"^(\d+) passed, (\d+) failed$", text, re.M)
        if not result:
            raise Failed("the runner did not finish", text + logs)
        run.count(int(result[1]), int(result[2]))
        if code != 0:
            raise Failed("cases failed", text)
        if "skipped" in text:
            raise Failed("cases were skipped", text)
        if re.search(r"Sanitizer|runtime error", logs):
            raise Failed("a sanitizer complained", logs)
    return step


def python_tests(preset, *programs, log, shown=None, at_once=1):
    """Programs of Python's unittest, each with the binary of a build; each test counts. A program is its path, or its
    path and the tests of it, with spaces between them. Of the output, lines that begin as the pattern `shown` says are
    shown."""
    env = {"FLOWSTORE": str(ROOT / "build" / preset / "flowstore")}

    def step(run):
        for at in range(0, len(programs), at_once):
            begun = []
            for number, program in enumerate(programs[at:at + at_once], at):
                words = [sys.executable, *str(program).split()]
                begun.append((words, run.begin(*words, log=f"{log}-{number}", env=env)))
            for code, text in [run.outcome(process, words, timeout=600) for words, process in begun]:
                look_at(run, code, text)

    def look_at(run, code, text):
        result = re.search(r"^Ran (\d+) tests?", text, re.M)
        if not result:
            raise Failed("no test ran", text)
        failed = sum(int(n) for n in re.findall(r"(?:failures|errors)=(\d+)", text))
        run.count(max(int(result[1]) - failed, 0), failed)
        for line in re.findall(rf"^{shown}.*$", text, re.M) if shown else []:
            print("    " + line)
        if code != 0:
            raise Failed("tests failed", text)
        if re.search(r"skipped|^Ran 0 tests", text, re.M):
            raise Failed("tests were skipped", text)
    return step


def program(preset):
    """The program as an operator meets it: start, check, signals, logs, faults from outside."""
    return python_tests(preset, "tests/program/test_program.py", "tests/program/test_listeners.py", "tests/program/test_ready.py",
                        "tests/program/test_security.py", log=f"program-{preset}")


def commands(preset):
    """The commands of the operator: check, healthcheck, usage, export, import, migrate, gc."""
    programs = sorted(path.relative_to(ROOT) for path in (ROOT / "tests/commands").glob("test_*.py"))
    return python_tests(preset, *programs, log=f"commands-{preset}", at_once=2)


CLIENTS = ROOT / "tests" / "clients"


def node_tests(run, files, log, preset, env=None, packages=CLIENTS):
    """Tests of Node.js's own runner, with what the folder `packages` has from npm and the binary of a build;
    each counts."""
    installed = packages / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (packages / "package-lock.json").stat().st_mtime:
        run.command("npm", "ci", "--no-audit", "--no-fund", cwd=packages, log=f"{packages.name}-install")
    code, text = run.attempt("node", "--test", *files, cwd=files[0].parent,
                             env={"FLOWSTORE": str(ROOT / "build" / preset / "flowstore"), **(env or {})}, log=log, timeout=900)
    counts = {name: int(number) for name, number in re.findall(r"^[#ℹ] (pass|fail|skipped|todo) (\d+)$", text, re.M)}
    run.count(counts.get("pass", 0), counts.get("fail", 0))
    if code != 0:
        raise Failed("tests failed", "\n".join(re.findall(r"^ *not ok (?:.*\n)(?: +.*\n)*|^.*✖.*", text, re.M)) or text)
    if counts.get("pass", 0) == 0 or counts.get("skipped", 0) + counts.get("todo", 0) > 0:
        raise Failed("tests were skipped", text)
    return text


def clients(preset):
    """A real Node-RED with the published FlowFuse nodes and context store; random requests beside
    Node-RED's own functions."""
    def step(run):
        node_tests(run, sorted(CLIENTS.glob("*.test.mjs")), f"clients-{preset}", preset)
    return step


def console(preset):
    """The console in a real Chromium. CONSOLE_SCREENSHOTS names a folder for pictures of it."""
    def step(run):
        folder = ROOT / "tests" / "console"
        node_tests(run, sorted(folder.glob("*.test.mjs")), f"console-{preset}", preset, packages=folder)
    return step


def load(run):
    """Hundreds of projects at once, kills, and large contexts. What it measured is shown, too."""
    for name in ("checker", "load", "large"):  # one after the other: server and load share the cores
        text = node_tests(run, [ROOT / "tests" / "load" / f"{name}.test.mjs"], f"load-{name}", "release",
                          env={"LOAD_SECONDS": os.environ.get("LOAD_SECONDS", "5")})
        for line in re.findall(r"^ +(?:ok \d+ - .*|# (?!Subtest).*)", text, re.M):
            print("    " + line.strip())


def soak(run):
    """Half a minute of what script/soak does for longer."""
    text = run.command(sys.executable, ROOT / "tests/soak/soak.py", "--minutes", os.environ.get("SOAK_MINUTES", "0.3"),
                       log="soak", env={"FLOWSTORE": str(ROOT / "build/release/flowstore")})
    run.count(1)
    for line in re.findall(r"^(?:\d|Capacity|RSS|Descriptors).*$", text, re.M):
        print("    " + line)


FUZZ = ROOT / "tests" / "fuzz"


def fuzz(run):
    """Every fuzz target, from its corpus, for FUZZ_SECONDS each; finds are kept in build/clang/finds."""
    seconds = os.environ.get("FUZZ_SECONDS", "20")
    programs = sorted(path for path in (ROOT / "build/clang/tests/fuzz").glob("fuzz_*") if os.access(path, os.X_OK))
    names = [path.name.removeprefix("fuzz_") for path in programs]
    if names != sorted(path.name.removesuffix("_fuzz.cpp") for path in FUZZ.glob("*_fuzz.cpp")):
        raise Failed(f"these fuzz targets were built: {', '.join(names)}")
    finds = ROOT / "build/clang/finds"
    finds.mkdir(exist_ok=True)
    jobs = []
    for name, program in zip(names, programs):
        fresh = run.tmp / f"corpus-{name}"
        fresh.mkdir()
        words = FUZZ / f"{name}.dict"
        jobs.append((name, [program, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
                            f"-artifact_prefix={finds}/{name}-", *([f"-dict={words}"] if words.exists() else []),
                            fresh, FUZZ / "corpus" / name]))
    # What the fuzzer of JSON has found by then is asked, too.
    jobs.append(("json-beside-node", ["node", FUZZ / "json_beside_node.mjs", ROOT / "build/clang/tests/fuzz/json_answers", seconds,
                                      str(random.randrange(2**32)), finds, FUZZ / "corpus/json", run.tmp / "corpus-json"]))
    # Two at a time: each has a core, so that the seconds mean the same everywhere.
    for at in range(0, len(jobs), 2):
        together = [(name, run.begin(*words, log=f"fuzz-{name}")) for name, words in jobs[at:at + 2]]
        for name, begun in together:
            code, text = run.outcome(begun, [name], timeout=int(seconds) + 600)  # each keeps its time
            if code != 0:
                raise Failed(f"fuzz target {name} found something; see build/clang/finds", text)
            run.count(1)
            runs = re.findall(r"number_of_executed_units: (\d+)|^(\d+) texts", text, re.M)
            print(f"    {name}: {max(runs[-1])} inputs")


def secrets(run):
    """No process that ran before has written a secret of the tests anywhere."""
    outputs = [path for path in run.tmp.rglob("*.log") if path.is_file()]
    if not any(path.parent == run.logs for path in outputs):
        raise Failed("no flowstore has written anything; run this after other steps")
    found = [f"{path.name}:{number}: {told}" for path in outputs for number, line in enumerate(path.open("rb"), 1)
             if (told := secrets_in(line))]
    if found:
        raise Failed("secrets were written", "\n".join(found[:100]))
    run.count(1)


def dependencies(preset):
    """A sick platform, PostgreSQL or S3 store, alone and together. What it measured is shown, too."""
    return python_tests(preset, "tests/faults/test_dependencies.py", log=f"dependencies-{preset}", shown="worst ")


HOSTILE_PROGRAMS = [f"tests/hostile/test_{name}.py" for name in ("heads", "slow", "content", "tls")]
# As under systemd, where a system call that the unit refuses ends the process.
CONFINED = [sys.executable, ROOT / "tests/support/confined.py", ROOT / "packaging/systemd/flowstore.service"]
# Those that take longest first: they are run two at a time.
CRASH_PROGRAMS = [*(f"tests/faults/test_crash.py {name}" for name in ("Shared", "Relaxed", "Strict", "WithoutLog", "Checker")),
                  "tests/faults/test_power.py"]
S3_PROGRAMS = [f"tests/s3/test_{name}.py" for name in ("faults", "outages", "many")]



def image(run):
    """The container image: how it is used, and the whole contract in it."""
    python_tests("release", "tests/image/test_image.py", log="image")(run)
    layout = run.tmp / "image"
    run.command("script/image", layout, log="image-layout")
    contract(command=[sys.executable, ROOT / "tests/support/contained.py", layout])(run)


def package(run):
    """The Debian package, its pages and completions. Its own system is made once, which takes minutes."""
    run.command("script/package", "--no-build", log="package-build")
    run.command(sys.executable, "tests/package/test_package.py", "--prepare", log="package-system")
    python_tests("release", "tests/package/test_pages.py", "tests/package/test_package.py", log="package")(run)


def swap(run):
    """The old server and flowstore in turns. OLD_SERVER is the command of the former; else npm brings it, which takes minutes once."""
    if "OLD_SERVER" not in os.environ:
        run.command(sys.executable, "-c", "import old_server; old_server.installed()", cwd=ROOT / "bench", log="swap-old-server")
    python_tests("release", "tests/swap/test_swap.py", log="swap")(run)


def instructions(run):
    """How many instructions a request takes has not grown unnoticed; see bench/README.md."""
    run.command(sys.executable, "bench/instructions.py", log="instructions")
    run.count(1)


STEPS = [
    ("lint", lint),
    ("build-release", build("release")),
    ("referee", python_tests("release", "tests/bench/test_referee.py", log="referee")),
    ("build-dev", build("dev")),
    ("unit", unit("dev")),
    ("contract", contract()),
    ("contract-dev", contract("dev")),
    ("contract-confined", contract(wrapper=CONFINED)),
    ("image", image),
    ("package", package),
    ("swap", swap),
    ("program", program("release")),
    ("program-dev", program("dev")),
    ("commands", commands("release")),
    ("commands-dev", commands("dev")),
    ("openapi", python_tests("release", "tests/openapi/test_openapi.py", log="openapi")),
    ("metrics", python_tests("release", "tests/metrics/test_metrics.py", "tests/metrics/test_dashboard.py", log="metrics")),
    ("docs", python_tests("release", "tests/docs/test_docs.py", log="docs")),
    ("crash", python_tests("dev", *CRASH_PROGRAMS, log="crash", at_once=2)),
    ("instructions", instructions),
    ("machine", python_tests("release", "tests/faults/test_machine.py", log="machine")),
    ("dependencies", dependencies("release")),
    ("hostile", python_tests("release", *HOSTILE_PROGRAMS, log="hostile")),
    ("isolation", python_tests("release", "tests/isolation/test_isolation.py", log="isolation")),
    ("contract-s3", contract(on_s3=True)),
    ("s3-faults", python_tests("release", "tests/s3/test_tools.py", "tests/s3/test_faults.py", log="s3-faults")),
    ("s3-outages", python_tests("release", "tests/s3/test_outages.py", log="s3-outages")),
    ("s3-many", python_tests("release", "tests/s3/test_many.py", log="s3-many")),
    ("clients", clients("release")),
    ("console", console("release")),
    ("load", load),
    ("soak", soak),
    ("build-tsan", build("tsan")),
    ("unit-tsan", unit("tsan")),
    ("contract-tsan", contract("tsan")),
    ("contract-s3-tsan", contract("tsan", on_s3=True)),
    ("hostile-dev", python_tests("dev", *HOSTILE_PROGRAMS, log="hostile-dev")),
    ("clients-dev", clients("dev")),
    ("console-dev", console("dev")),
    ("clients-tsan", clients("tsan")),
    ("program-tsan", program("tsan")),
    ("dependencies-dev", dependencies("dev")),
    ("s3-dev", python_tests("dev", *S3_PROGRAMS, log="s3-dev")),
    ("s3-tsan", python_tests("tsan", *S3_PROGRAMS, log="s3-tsan")),
    ("build-fuzz", build("fuzz", configured="clang")),
    ("fuzz", fuzz),
    ("tidy", tidy),  # reads the commands of build-fuzz
    ("secrets", secrets),
    ("build-clang", build("clang")),
    ("unit-clang", unit("clang")),
]
# Only when asked for. Every test of unit-clang has run with g++ under the same sanitizers, and with
# clang under another one: a quarter of an hour on two cores. The others are suites that have run
# on the release, with sanitizers.
LONG = ["commands-dev", "hostile-dev", "clients-dev", "console-dev", "clients-tsan", "program-tsan", "dependencies-dev", "s3-dev",
        "s3-tsan", "build-clang", "unit-clang"]
QUICK = ["build-dev", "unit"]


def main():
    parser = argparse.ArgumentParser(prog="script/test")
    parser.add_argument("steps", nargs="*", metavar="step")
    parser.add_argument("--quick", action="store_true", help="unit tests of the dev build only")
    parser.add_argument("--all", action="store_true", help="also the steps that take long and rarely find anything: " + ", ".join(LONG))
    parser.add_argument("--list", action="store_true", help="name the steps")
    options = parser.parse_args()
    if options.list:
        print("\n".join(name for name, _ in STEPS))
        return 0
    usual = [name for name, _ in STEPS if options.all or name not in LONG]
    wanted = QUICK if options.quick else options.steps or usual
    unknown = set(wanted) - {name for name, _ in STEPS}
    if unknown:
        parser.error(f"no such step: {', '.join(sorted(unknown))}; see --list")

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    run = Run()
    rows = []
    try:
        for name, step in STEPS:
            if name in wanted:
                rows.append(perform(run, name, step))
    except KeyboardInterrupt:
        print("interrupted")
        return 130
    finally:
        run.close()
    print("\nsummary")
    for name, seconds, outcome in rows:
        print(f"  {name:15} {seconds:6.0f} s  {outcome}")
    print(f"{run.passed} passed, {run.failed} failed")
    return 1 if run.failed or not rows else 0


def perform(run, name, step):
    """Runs one step; returns its name, how long it took, and how it ended."""
    print(f"=== {name}", flush=True)
    passed, failed, started = run.passed, run.failed, time.monotonic()
    try:
        step(run)
        outcome = "ok"
    except Failed as error:
        outcome = f"FAILED: {error}"
        print(error.output[-OUTPUT_SHOWN:])
        if run.failed == failed:
            run.count(0, 1)
    if run.passed > passed:
        outcome += f", {run.passed - passed} tests passed"
    seconds = time.monotonic() - started
    print(f"    {outcome} ({seconds:.0f} s)", flush=True)
    return name, seconds, outcome


if __name__ == "__main__":
    sys.exit(main())
