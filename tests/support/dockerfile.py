"""What packaging/Dockerfile says of the image."""
import json
import pathlib
import re
import shlex

PATH = pathlib.Path(__file__).resolve().parents[2] / "packaging/Dockerfile"


def instructions(text):
    """The instructions in order, as pairs of the word and the rest; lines that go on are joined."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", text, flags=re.M))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


class Image:
    """The last stage: what a container of the image is started with."""

    def __init__(self, text=None):
        lines = instructions(PATH.read_text() if text is None else text)
        last = max(index for index, (word, _) in enumerate(lines) if word == "FROM")
        self.base = lines[last][1]
        self.stage = lines[last + 1:]
        self.environment = dict(pair.split("=", 1) for rest in self.all("ENV") for pair in shlex.split(rest))
        self.folder = self.one("WORKDIR")
        self.command = json.loads(self.one("CMD"))
        self.health_check = json.loads(self.one("HEALTHCHECK").split(" CMD ", 1)[1])
        self.volumes = json.loads(self.one("VOLUME"))
        self.ports = self.one("EXPOSE").split()

    def all(self, word):
        return [rest for name, rest in self.stage if name == word]

    def one(self, word):
        (rest,) = self.all(word)
        return rest
