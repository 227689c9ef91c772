#!/usr/bin/env python3
"""`flowstore healthcheck` beside a server that is well, one that is not there, and something else."""
import http.server
import pathlib
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from commands import CommandTest  # noqa: E402


class Healthcheck(CommandTest):
    def test_is_well_as_long_as_the_server_answers(self):
        server = self.server().start()
        outcome = self.succeed("healthcheck", home=server.home)
        self.assertEqual(outcome.out, f"ok: http://127.0.0.1:{server.port}/health answers 200\n")
        self.assertTrue(self.succeed("healthcheck", "--json", home=server.home).json["ok"])
        server.kill()
        outcome = self.run_command("healthcheck", home=server.home)
        self.assertEqual(outcome.code, 1)
        self.assertIn("does not answer", outcome.err)
        self.assertIn("is flowstore running, with this port?\n", outcome.err)

    def test_asks_the_port_that_the_environment_names(self):
        server = self.server().start()
        other = self.server("other", port=1)
        self.succeed("healthcheck", home=other.home, env={"PORT": str(server.port)})

    def test_goes_by_no_proxy(self):
        server = self.server().start()
        nobody = "http://127.0.0.1:1"
        self.succeed("healthcheck", home=server.home, env={"http_proxy": nobody, "all_proxy": nobody})

    def test_finds_a_server_that_listens_everywhere(self):
        server = self.server()
        server.config["host"] = "0.0.0.0"
        server.start()
        self.succeed("healthcheck", home=server.home)

    def test_asks_over_https_whatever_name_the_certificate_has(self):
        key, certificate = self.folder / "k.pem", self.folder / "c.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=files.example", "-days", "2",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        server = self.server(tls={"cert": str(certificate), "key": str(key)})
        server.launch()
        server.logged("Server listening at")
        outcome = self.succeed("healthcheck", home=server.home)
        self.assertEqual(outcome.out, f"ok: https://127.0.0.1:{server.port}/health answers 200\n")

    def test_something_else_on_the_port_is_not_well(self):
        class Other(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(404)
                self.end_headers()

            def log_message(self, *_):
                pass

        other = http.server.HTTPServer(("127.0.0.1", 0), Other)
        threading.Thread(target=other.serve_forever, daemon=True).start()
        self.addCleanup(other.server_close)
        self.addCleanup(other.shutdown)
        server = self.server()
        outcome = self.run_command("healthcheck", home=server.home, env={"PORT": str(other.server_port)})
        self.assertEqual(outcome.code, 1)
        self.assertIn("answers 404", outcome.err)

    def test_a_configuration_that_cannot_be_used_is_named(self):
        file = self.config_file("broken.yml", {"driver": {"type": "s4"}})
        outcome = self.run_command("healthcheck", "--config", file)
        self.assertEqual(outcome.code, 1)
        self.assertIn(f"{file}:1: driver.type", outcome.err)


if __name__ == "__main__":
    unittest.main()
