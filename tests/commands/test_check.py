#!/usr/bin/env python3
"""`flowstore check` beside a platform whose clock is wrong, and services whose certificate nobody here knows."""
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from remote import RemoteTest, begin  # noqa: E402
from refusing_platform import RefusingPlatform  # noqa: E402
from tcp_proxy import Background, TcpProxy, server_tls  # noqa: E402


def setUpModule():
    global background
    begin()
    background = Background()
    unittest.addModuleCleanup(background.stop)


class Check(RemoteTest):
    def platform(self, tls=None):
        platform = RefusingPlatform(tls)
        self.addCleanup(platform.stop)
        return platform

    def server_of(self, url, **more):
        """One that asks the platform there."""
        return self.server(base_url=url, auth={}, **more)

    def certificate(self, name="127.0.0.1"):
        """Files of an authority of our own, of a certificate that it has given, and of its key."""
        authority, key, request, made, more = (self.folder / f"{name}.{end}" for end in ("ca", "key", "csr", "pem", "ext"))
        new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        more.write_text(f"subjectAltName=IP:{name}\n")
        for words in ([*new, "-x509", "-days", "2", "-subj", "/CN=an authority", "-keyout", f"{authority}.key", "-out", authority],
                      [*new, "-subj", f"/CN={name}", "-keyout", key, "-out", request],
                      ["openssl", "x509", "-req", "-in", request, "-CA", authority, "-CAkey", f"{authority}.key", "-CAcreateserial",
                       "-days", "2", "-extfile", more, "-out", made]):
            subprocess.run(list(map(str, words)), check=True, capture_output=True)
        return authority, made, key

    def said(self, outcome, name):
        """The lines about one of the things that were tried."""
        return [line for line in outcome.out.splitlines() if line[6:].startswith(name)]

    # ---- the clock
    def test_a_clock_that_is_wrong_is_a_warning(self):
        platform = self.platform()
        server = self.server_of(platform.url)
        for date, words in ((90, r"\d+ s behind the platform"), (-90, r"\d+ s ahead of the platform")):
            platform.date = date
            outcome = self.succeed("check", home=server.home)
            self.assertEqual(self.said(outcome, "platform: "), [f"ok    platform: {platform.url} answers"])
            (line,) = self.said(outcome, "clock: ")
            self.assertRegex(line, rf"^warn  clock: this machine is {words}; set the clock of one of them right \(NTP\)$")
            seconds = int(line.split("machine is ")[1].split()[0])
            self.assertLessEqual(abs(seconds - 90), 10)  # the machine may be busy
            found = self.succeed("check", "--json", home=server.home).json
            self.assertTrue(found["ok"])
            (clock,) = [check for check in found["checks"] if check["name"] == "clock"]
            self.assertEqual((clock["ok"], clock["warning"]), (True, True))

    def test_a_clock_that_is_right_or_not_told_is_not_worth_a_line(self):
        platform = self.platform()
        server = self.server_of(platform.url)
        for date in (0, 15, -15, None, "yesterday", ""):
            platform.date = date
            outcome = self.succeed("check", home=server.home)
            self.assertEqual(self.said(outcome, "clock"), [], date)

    def test_the_clock_is_looked_at_where_the_answer_is_wrong_too(self):
        platform = self.platform()
        platform.date, platform.status = -3600, 404
        outcome = self.run_command("check", home=self.server_of(platform.url).home)
        self.assertEqual(outcome.code, 1)
        self.assertIn("FAIL  platform: answered 404 where a FlowFuse platform answers 401", outcome.out)
        self.assertEqual(len(self.said(outcome, "clock: this machine is ")), 1)

    # ---- authorities
    def test_an_authority_of_ones_own_is_named_by_node_extra_ca_certs(self):
        authority, certificate, key = self.certificate()
        platform = self.platform(server_tls(certificate, key))
        server = self.server_of(platform.url)
        outcome = self.run_command("check", home=server.home)
        self.assertEqual(outcome.code, 1)
        (line,) = self.said(outcome, "platform: ")
        self.assertTrue(line.startswith("FAIL"), line)
        self.assertIn("certificate", line)
        self.assertIn("NODE_EXTRA_CA_CERTS", line)
        outcome = self.succeed("check", home=server.home, env={"NODE_EXTRA_CA_CERTS": str(authority)})
        self.assertEqual(self.said(outcome, "platform: "), [f"ok    platform: {platform.url} answers"])

    def test_another_authority_does_not_help(self):
        _, certificate, key = self.certificate()
        other, _, _ = self.certificate("127.0.0.2")
        server = self.server_of(self.platform(server_tls(certificate, key)).url)
        outcome = self.run_command("check", home=server.home, env={"NODE_EXTRA_CA_CERTS": str(other)})
        self.assertEqual(outcome.code, 1)
        self.assertIn("FAIL  platform: ", outcome.out)

    def test_says_that_authorities_cannot_be_used(self):
        server = self.server_of(self.platform(None).url)
        absent = server.home / "absent.pem"
        outcome = self.succeed("check", home=server.home, env={"NODE_EXTRA_CA_CERTS": str(absent)})
        (line,) = self.said(outcome, "certificates: ")
        self.assertRegex(line, f"^warn  certificates: NODE_EXTRA_CA_CERTS is ignored: {absent} cannot be read.*PEM")

    def test_a_certificate_of_another_name_is_refused(self):
        authority, certificate, key = self.certificate("127.0.0.2")
        server = self.server_of(self.platform(server_tls(certificate, key)).url)
        outcome = self.run_command("check", home=server.home, env={"NODE_EXTRA_CA_CERTS": str(authority)})
        self.assertEqual(outcome.code, 1)
        self.assertIn("FAIL  platform: ", outcome.out)

    def test_the_s3_store_may_have_an_authority_of_ones_own_too(self):
        authority, certificate, key = self.certificate()
        bucket = self.bucket("check")
        secure = TcpProxy(background, int(bucket.address.split(":")[1]), server_tls(certificate, key))
        server = self.server(bucket=bucket, url=f"https://127.0.0.1:{secure.port}")
        outcome = self.run_command("check", home=server.home)
        self.assertEqual(outcome.code, 1)
        (line,) = self.said(outcome, "driver s3: ")
        self.assertTrue(line.startswith("FAIL"), line)
        self.assertIn("certificate", line)
        self.succeed("check", home=server.home, env={"NODE_EXTRA_CA_CERTS": str(authority)})

    # ---- services that are not there
    def test_says_why_the_stores_cannot_be_used(self):
        context = self.postgres_context("check")
        context["options"]["password"] = "planted-wrong-password"
        server = self.server(bucket=self.bucket("refused"), url="http://127.0.0.1:1", context=context)
        outcome = self.run_command("check", home=server.home)
        self.assertEqual(outcome.code, 1)
        self.assertRegex(self.said(outcome, "driver s3: ")[0], "FAIL  driver s3: The S3 store cannot be used: .*refused")
        self.assertRegex(self.said(outcome, "context postgres: ")[0], "FAIL  context postgres: PostgreSQL cannot be used: .*password")
        self.assertNotIn("planted", outcome.out + outcome.err)

    def test_the_same_is_well_where_they_are(self):
        server = self.server(bucket=self.bucket("well"), context=self.postgres_context("well"))
        outcome = self.succeed("check", home=server.home)
        self.assertEqual([line[:4] for line in self.said(outcome, "driver s3: ") + self.said(outcome, "context postgres: ")],
                         ["ok  ", "ok  "])


if __name__ == "__main__":
    unittest.main()
