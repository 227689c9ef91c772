#!/usr/bin/env python3
"""Manual pages and completions say what flowstore --help says: the same commands, with the same options.

Runs the binary named by FLOWSTORE (default build/release/flowstore).
"""
import functools
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLOWSTORE = os.environ.get("FLOWSTORE", str(ROOT / "build/release/flowstore"))
MAIN_PAGE = ROOT / "packaging/man/flowstore.1"
BASH, ZSH = ROOT / "packaging/completion/flowstore.bash", ROOT / "packaging/completion/_flowstore"
CONFIGURATION = ROOT / "docs/configuration.md"
EVERYWHERE = {"--config", "--home", "--help"}  # and the same after every command
OF_NO_COMMAND = {"--version"}


@functools.cache
def help_of(*words):
    return subprocess.run([FLOWSTORE, *words, "--help"], capture_output=True, text=True, check=True, timeout=60).stdout


def commands():
    """As the summary lists them, some of them two on a line."""
    part = re.search(r"^Commands.*:\n((?:  .*\n)+)", help_of(), re.M)[1]
    return {name for line in part.splitlines() for name in re.match(r"  ([a-z]+(?:, [a-z]+)*) ", line)[1].split(", ")}


def options_in_help(command):
    """Those that only this command has: words of its usage and of the list below, not of examples."""
    if command == "serve":  # its help is the summary
        return set()
    text = help_of(command).split("\nExamples:")[0]
    if text == help_of().split("\nExamples:")[0]:  # older: --json is said there to be of this command
        return {"--json"} if re.search(rf"--json +\(.*{command}", text) else set()
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text.replace("tar --zstd", ""))) - EVERYWHERE


def plain(page):
    return page.replace("\\-", "-")


def options_in_page(part):
    """What stands at the head of a tagged paragraph."""
    return set(re.findall(r"^\.TP\n\.BI? (--[a-z-]+)", part, re.M))


class Page(unittest.TestCase):
    def setUp(self):
        text = plain(MAIN_PAGE.read_text())
        self.general = re.search(r"^\.SH OPTIONS\n(.*?)^\.SH", text, re.M | re.S)[1]
        part = re.search(r"^\.SH COMMANDS\n(.*?)^\.SH", text, re.M | re.S)[1]
        self.parts = dict(re.findall(r"^\.SS (\w+)\n(.*?)(?=^\.SS|\Z)", part, re.M | re.S))

    def test_names_every_command(self):
        self.assertEqual(set(self.parts), commands())

    def test_names_every_option(self):
        self.assertEqual(options_in_page(self.general), EVERYWHERE | OF_NO_COMMAND | {"--json"})
        for command, part in self.parts.items():
            self.assertEqual(options_in_page(part), options_in_help(command) - {"--json"}, command)

    def test_is_shown_without_a_warning(self):
        with tempfile.TemporaryDirectory() as folder:
            for page in (MAIN_PAGE, made_page(folder)):
                self.assertEqual(shown(page)[1], "", page)


class Configuration(unittest.TestCase):
    def test_page_shows_every_option_with_its_meaning(self):
        rows = re.findall(r"^\| `([\w.\[\]]+)` \|(.*)\|", CONFIGURATION.read_text(), re.M)
        self.assertGreater(len(rows), 50)
        with tempfile.TemporaryDirectory() as folder:
            text = shown(made_page(folder))[0]
        for name, rest in rows:
            self.assertRegex(text, rf"(?m)^ +{re.escape(name)}(?: |$)")
            meaning = rest.replace("\\|", "/").split(" | ")[1].split(";")[0]
            words = re.sub(r"\[([^]]+)\]\([^)]*\)|`", r"\1", meaning).split()[:4]
            self.assertIn(" ".join(words), " ".join(text.split()), name)

    def test_page_leaves_no_markdown(self):
        with tempfile.TemporaryDirectory() as folder:
            text = shown(made_page(folder))[0]
        self.assertNotRegex(text, r"\]\(|`|(?m:^ *\|)|\*\*")


def made_page(folder):
    page = pathlib.Path(folder) / "flowstore.yml.5"
    page.write_bytes(subprocess.run([sys.executable, ROOT / "packaging/man/configuration_page.py", CONFIGURATION],
                                    capture_output=True, check=True).stdout)
    return page


def shown(page):
    """The page as text, on wide lines, and the warnings."""
    env = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "1000", "MAN_KEEP_FORMATTING": ""}
    formatted = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-P", "cat", page], capture_output=True, text=True, env=env)
    return re.sub(r".\x08|\x1b\[\d*m", "", formatted.stdout), formatted.stderr


class Bash(unittest.TestCase):
    def offered(self, *words, cwd="/"):
        """What is offered for the last of these words, which follow the name of the program."""
        script = 'source "$1"; shift; COMP_WORDS=(flowstore "$@"); COMP_CWORD=$#; _flowstore; printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "--norc", "-c", script, "bash", BASH, *words], capture_output=True, text=True, cwd=cwd, timeout=60)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_offers_every_command(self):
        self.assertEqual(self.offered(""), commands())
        self.assertEqual(self.offered("--home", "/tmp", "he"), {"healthcheck"} & commands())

    def test_offers_every_option(self):
        self.assertEqual(self.offered("--"), EVERYWHERE | OF_NO_COMMAND)
        for command in sorted(commands()):
            self.assertEqual(self.offered(command, "--"), EVERYWHERE | options_in_help(command), command)

    def test_offers_files_and_folders_where_they_are_wanted(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "a.yml").touch()
            (pathlib.Path(folder) / "b").mkdir()
            self.assertEqual({name.rstrip("/") for name in self.offered("check", "--config", "", cwd=folder)}, {"a.yml", "b"})
            self.assertEqual({name.rstrip("/") for name in self.offered("check", "--home", "", cwd=folder)}, {"b"})


class Zsh(unittest.TestCase):
    """The function runs in a zsh whose own functions for completions only tell what they are asked to offer."""

    SCRIPT = r"""
_arguments() { [[ $1 == -C && -n $2 ]] && [[ -n $COMMAND_WANTED ]] && { state=$COMMAND_WANTED; return 1 }; print -rl -- "$@" }
_describe() { print -rl -- "${(@P)2}" }
COMMAND_WANTED=$2 words=($3)
source $1
"""

    def asked(self, state="", command=""):
        done = subprocess.run(["zsh", "-f", "-c", f"offer() {{ {self.SCRIPT} }}; offer \"$@\"", "zsh", ZSH, state, command],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def options(self, *how):
        return {found[1] for line in self.asked(*how) if (found := re.match(r"\*?(--[a-z-]+)\[", line))}

    def test_offers_every_command(self):
        self.assertEqual({line.split(":")[0] for line in self.asked("command")}, commands())

    def test_offers_every_option(self):
        self.assertEqual(self.options(), EVERYWHERE | OF_NO_COMMAND)
        for command in sorted(commands()):
            self.assertEqual(self.options("options", command), EVERYWHERE | options_in_help(command), command)


if __name__ == "__main__":
    unittest.main(verbosity=2)
