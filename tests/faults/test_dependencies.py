#!/usr/bin/env python3
"""flowstore when the platform, PostgreSQL or the S3 store is sick, alone or together, under load.

Each fault lasts DEPENDENCY_SECONDS (2.5).
"""
import collections
import contextlib
import os
import pathlib
import shutil
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "s3"), str(HERE.parent / "support")]
from dependencies import PARTS, PLATFORM, POSTGRES, S3, Load, Platform, Stand, bearer  # noqa: E402
from engine import Engine  # noqa: E402
from flowstore import LocalFlowstore, run_all  # noqa: E402
from planted import PASSWORD, secrets_in  # noqa: E402
from s3_client import S3 as S3Client  # noqa: E402
from server import Server  # noqa: E402
from tcp_proxy import Background  # noqa: E402

SECONDS = float(os.environ.get("DEPENDENCY_SECONDS", "2.5"))
WARM_UP = 0.7
# Of a request that needs a sick part, and of one that does not, which usually takes milliseconds. NOISE
# times as much as the machine takes for requests that need nothing at all is added.
IN_TIME = 2.5
UNDISTURBED = 1
NOISE = 3
NOTICED = 0.2  # seconds
BACK_IN = 5  # seconds, from when the part is well until everything is
QUIET = 1  # seconds without trouble
MOST_MEMORY = 96 << 20  # bytes more than before
MOST_DESCRIPTORS = 600
MOST_QUEUED = 64  # writes of context; there are fewer clients
MOST_LINES, LINES_PER_SECOND = 10, 6  # in the log, of one fault

worst = collections.defaultdict(lambda: (0, 0, 0))  # by what was sick


def setUpModule():
    global run, background, engine, platform, postgres_port
    stack = contextlib.ExitStack()
    unittest.addModuleCleanup(stack.close)
    unittest.addModuleCleanup(report_worst)
    run = run_all.Run()
    stack.callback(run.close)
    background = Background()
    stack.callback(background.stop)
    engine = stack.enter_context(Engine(run.tmp / "ceph"))
    platform = Platform(background)
    postgres_port = stack.enter_context(run_all.postgres(run))


def on_s3(folder, url, **more):
    return Server(folder, engine.bucket(folder.name), url, **more)


def on_disk(folder, url, **more):
    return LocalFlowstore(folder, **more)


class Trial:
    """One stand under load, some parts of which are sick for a while: from when `fall_ill` is called until
    `recover` is."""

    def __init__(self, stand, parts, name, fall_ill, recover, reason=""):
        """`reason` is what the log says of it at least."""
        self.stand, self.parts, self.name, self.reason = stand, frozenset(parts), name, reason
        self.fall_ill, self.recover = fall_ill, recover
        self.load = Load(stand)
        self.most = collections.Counter()

    def begin(self):
        self.memory, self.lines = self.stand.memory(), len(self.stand.log_lines())
        self.begun = time.monotonic()
        self.fall_ill()

    def heal(self):
        self.recover()
        self.healed = time.monotonic()

    def sample(self):
        self.most["memory"] = max(self.most["memory"], self.stand.memory() - self.memory)
        self.most["descriptors"] = max(self.most["descriptors"], self.stand.descriptors())
        self.most["queued"] = max(self.most["queued"], int(self.stand.metric("flowstore_context_queue_length")))

    def has_recovered(self):
        """False while that may still come true."""
        self.back_in = self.load.last_trouble(self.healed) - self.healed
        now = time.monotonic()
        return now > self.healed + self.back_in + QUIET or now > self.healed + BACK_IN + QUIET

    # ---- what came of it
    def worst(self, answers):
        return max((one.seconds for one in answers), default=0)

    def judge(self, test):
        answers = self.load.since(self.begun)
        needing = [one for one in answers if one.needs & self.parts]
        others = [one for one in answers if not one.needs & self.parts]
        noise = NOISE * self.worst([one for one in others if not one.needs])
        report(self, self.worst(needing), self.worst(others))
        test.assertTrue(any(not one.is_good or one.seconds > NOTICED for one in needing), "nobody noticed anything")
        test.assertEqual([one for one in others if not one.is_good or one.seconds > UNDISTURBED + noise][:5], [])
        test.assertEqual([one for one in needing if one.problem or one.seconds > IN_TIME + noise][:5], [])
        test.assertLess(self.back_in, BACK_IN + noise)
        test.assertLess(self.most["memory"], MOST_MEMORY)
        test.assertLess(self.most["descriptors"], MOST_DESCRIPTORS)
        test.assertLess(self.most["queued"], MOST_QUEUED)
        lines = self.stand.log_lines()[self.lines:]
        test.assertLess(len(lines), MOST_LINES + LINES_PER_SECOND * (self.healed - self.begun), lines)
        test.assertIn(self.reason, "\n".join(lines))
        test.assertEqual(secrets_in(self.stand.server.log.read_bytes()), [])
        test.assertEqual(self.load.lost(), [])
        test.assertEqual(self.stand.metric("flowstore_context_queue_length"), 0)
        test.assertEqual(self.stand.metric("flowstore_unexpected_exceptions_total"), 0)


def report(trial, needing, others):
    print(f"    {trial.name}, {' and '.join(sorted(trial.parts))}: answered within {needing:.2f} s, others {others:.2f} s;"
          f" back in {trial.back_in:.2f} s; {trial.most['memory'] >> 20} MiB, {trial.most['descriptors']} descriptors,"
          f" {trial.most['queued']} queued", flush=True)
    of = "several" if len(trial.parts) > 1 else min(trial.parts)
    worst[of] = tuple(map(max, worst[of], (needing, others, trial.back_in)))


def report_worst():
    for of, (needing, others, back_in) in sorted(worst.items()):
        print(f"worst of {of}: answered within {needing:.2f} s, others {others:.2f} s; back in {back_in:.2f} s", flush=True)


def undergo(test, trials, seconds=SECONDS):
    """All at the same time."""
    for trial in trials:
        trial.load.start()
    time.sleep(WARM_UP)
    for trial in trials:
        trial.begin()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for trial in trials:
            trial.sample()
        time.sleep(0.1)
    for trial in trials:
        trial.heal()
    while not all([trial.has_recovered() for trial in trials]):
        time.sleep(0.05)
    for trial in trials:
        trial.load.stop()
    for trial in trials:
        with test.subTest(trial.name, sick=sorted(trial.parts)):
            trial.judge(test)


class Sick(unittest.TestCase):
    """Stands of this class, each of which runs on from test to test."""
    make = staticmethod(on_s3)
    sick = ()  # parts, one line a stand

    @classmethod
    def setUpClass(cls):
        ports = {PLATFORM: platform.port, POSTGRES: postgres_port, S3: engine.port}
        cls.stands = []
        for parts in cls.sick:
            folder = run.tmp / f"{cls.__name__}-{'-'.join(sorted(parts))}".lower()
            stand = Stand(folder, background, ports, cls.make, cls.certificates())
            cls.stands.append(stand)
            stand.start()
            cls.addClassCleanup(stand.server.stop)

    @classmethod
    def certificates(cls):
        return None

    def suffer(self, fault):
        """Each stand its own parts."""
        undergo(self, [self.trial_of(stand, parts, fault) for stand, parts in zip(self.stands, self.sick)])

    def trial_of(self, stand, parts, fault):
        return Trial(stand, parts, fault, lambda: stand.break_down(parts, fault), lambda: stand.heal(parts))


class OneAtATime(Sick):
    sick = ({PLATFORM}, {POSTGRES}, {S3})

    def test_refuses(self):
        self.suffer("refuse")

    def test_resets_everything(self):
        self.suffer("reset")

    def test_resets_in_mid_answer(self):
        self.suffer("reset_in_answer")

    def test_garbles_what_it_says(self):
        self.suffer("garble")

    def test_never_answers(self):
        self.suffer("mute")

    def test_answers_a_byte_a_second(self):
        self.suffer("trickle")

    def test_vanishes_without_a_word(self):
        self.suffer("black_hole")

    def test_comes_and_goes(self):
        self.suffer("flapping")

    def test_is_far_away(self):
        self.suffer("latency")


class Together(Sick):
    sick = ({PLATFORM, POSTGRES}, {PLATFORM, S3}, {POSTGRES, S3}, set(PARTS))

    def test_refuse(self):
        self.suffer("refuse")

    def test_vanish_without_a_word(self):
        self.suffer("black_hole")

    def test_come_and_go(self):
        self.suffer("flapping")


class WithLocalFiles(Sick):
    make = staticmethod(on_disk)
    sick = ({PLATFORM}, {POSTGRES})

    def test_never_answer(self):
        self.suffer("mute")

    def test_vanish_without_a_word(self):
        self.suffer("black_hole")

    def test_do_not_keep_the_process_from_ending(self):
        stand = self.stands[1]
        path, headers = "/v1/context/p0/scope?key=a", bearer("p0")
        self.assertEqual(stand.server.ask("GET", path, headers=headers).status, 200)
        stand.break_down({POSTGRES}, "black_hole")
        self.assertEqual(stand.server.ask("GET", path, headers=headers).status, 503)
        stand.server.stop()
        stand.heal({POSTGRES})
        stand.start()


class WithTls(Sick):
    sick = ({PLATFORM}, {POSTGRES}, {S3})

    @classmethod
    def certificates(cls):
        return {name: certificate(name) for name in ("right", "wrong")}

    @classmethod
    def setUpClass(cls):
        show_of_postgres("right", cls.certificates())
        super().setUpClass()

    def test_shows_a_certificate_that_nobody_trusts(self):
        of_platform, of_postgres, of_s3 = self.stands
        certificates = self.certificates()

        def show(stand, name):
            show_of_postgres(name, certificates)
            stand.proxies[POSTGRES].drop()

        undergo(self, [
            Trial(of_platform, {PLATFORM}, "wrong certificate", lambda: of_platform.show(PLATFORM, "wrong"),
                  lambda: of_platform.show(PLATFORM, "right"), "certificate"),
            Trial(of_postgres, {POSTGRES}, "wrong certificate", lambda: show(of_postgres, "wrong"),
                  lambda: show(of_postgres, "right"), "certificate"),
            Trial(of_s3, {S3}, "wrong certificate", lambda: of_s3.show(S3, "wrong"),
                  lambda: of_s3.show(S3, "right"), "certificate")])


def certificate(name):
    """Files of a certificate that certifies itself, and of its key."""
    files = run.tmp / f"{name}.pem", run.tmp / f"{name}.key"
    if not files[0].exists():
        run.command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-keyout", files[1], "-out", files[0], "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
                    log="openssl")
    return files


def show_of_postgres(name, certificates):
    """The certificate of the server itself, for connections that begin later."""
    data = run.tmp / "postgres/db"
    for source, target in zip(certificates[name], ("server.crt", "server.key")):
        fresh = data / f"{target}.fresh"
        shutil.copyfile(source, fresh)
        fresh.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(fresh, "postgres", "postgres")
        fresh.rename(data / target)
    sql("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")


def sql(*statements):
    for statement in statements:
        run.command("psql", "-h", "127.0.0.1", "-p", postgres_port, "-U", "postgres", "-qAtc", statement,
                    env={"PGPASSWORD": PASSWORD}, log="psql")


class DoesNotLetUsIn(Sick):
    sick = ({POSTGRES}, {S3})
    make = staticmethod(lambda folder, url, **more: Server(folder, bucket_of_another(folder.name), url, **more))

    def test_wants_other_credentials(self):
        of_postgres, of_s3 = self.stands

        def change_password(word):
            sql(f"ALTER ROLE \"{of_postgres.database}\" PASSWORD '{word}'",
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{of_postgres.database}'")

        bucket = of_s3.server.bucket
        undergo(self, [
            Trial(of_postgres, {POSTGRES}, "wrong password", lambda: change_password("other-password"),
                  lambda: change_password(PASSWORD), "check context.options.username and password"),
            Trial(of_s3, {S3}, "wrong key", lambda: change_key(bucket, "other-secret"),
                  lambda: change_key(bucket, bucket.secret), "SignatureDoesNotMatch")])


def bucket_of_another(name):
    """A bucket of a user who is called like it, as are the key and, nearly, the secret."""
    engine._run("radosgw-admin", "-n", "client.rgw", "user", "create", f"--uid={name}", f"--display-name={name}",
                f"--access-key={name}", "--secret-key=testsecret")
    bucket = S3Client(engine.url, name, name, "testsecret")
    bucket.create_bucket()
    return bucket


def change_key(bucket, secret):
    engine._run("radosgw-admin", "-n", "client.rgw", "user", "modify", f"--uid={bucket.key}", f"--access-key={bucket.key}",
                f"--secret-key={secret}")


class SaysSomethingElse(Sick):
    sick = ({PLATFORM},)

    def test_is_no_word_about_tokens(self):
        stand, = self.stands
        for name, answer in {
            "too many requests": ("429 Too Many Requests", b"{}", "Retry-After: 100\r\n"),
            "an error": ("500 Internal Server Error",),
            "an error in HTML": ("502 Bad Gateway", b"<html>Bad Gateway</html>"),
            "a huge answer": ("200 OK", b'{"a":"' + b"x" * 1_000_000 + b'"}'),
        }.items():
            undergo(self, [Trial(stand, {PLATFORM}, name, lambda: platform.says(*answer), platform.says)], SECONDS / 2)

    def test_refuses_tokens_and_takes_it_back(self):
        stand, = self.stands
        for number, status in enumerate(("401 Unauthorized", "403 Forbidden")):
            headers = {**bearer("p9", f".{number}"), "FF_MODE": "ensureDir"}

            def ask():
                return stand.server.ask("POST", "/v1/files/team/p9/folder", b"", headers).status

            platform.says(status)
            self.assertEqual(ask(), 401)
            platform.says()
            healed = time.monotonic()
            while ask() != 200:
                self.assertLess(time.monotonic() - healed, BACK_IN)
                time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
