"""docs/openapi.yaml, as the tests read it."""
import copy
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
METHODS = ("get", "head", "post", "put", "delete", "options", "patch")


class Description:
    def __init__(self, path=ROOT / "docs/openapi.yaml"):
        self.text = path.read_text()
        self.whole = yaml.safe_load(self.text)
        self.schemas = {"components": self.whole["components"]}

    def look_up(self, part):
        """What a $ref stands for."""
        while "$ref" in part:
            found = self.whole
            for name in part["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            part = found
        return part

    def operations(self):
        """Path, method and operation of each."""
        for path, item in self.whole["paths"].items():
            for method in METHODS:
                if method in item:
                    yield path, method, item[method]

    def requests(self):
        """All requests by their names, which are unique."""
        found = {}
        for path, method, operation in self.operations():
            for name, request in operation["x-requests"].items():
                if name in found:
                    raise ValueError(f"two requests are called {name}")
                found[name] = {"path": path, "method": method.upper(), "operation": operation, **request}
        return found

    def response(self, operation, status):
        """What is said of this status; nothing if it is not mentioned."""
        responses = operation["responses"]
        for key in (str(status), f"{status // 100}XX"):
            if key in responses:
                return self.look_up(responses[key])
        return None

    def schema(self, schema):
        """A schema that stands for itself."""
        return {**copy.deepcopy(schema), **self.schemas}

    def error_codes(self):
        return set(self.whole["components"]["schemas"]["ErrorCode"]["anyOf"][0]["enum"])


def matches(path, target):
    """Whether the target of a request is of this path."""
    if path.endswith("/{path}"):
        pattern = re.sub(r"\{\w+\}", "[^/?]+", path.removesuffix("{path}")) + "[^?]*"
    else:
        pattern = re.sub(r"\{\w+\}", "[^/?]+", path)
    return re.fullmatch(pattern + r"(\?.*)?", target) is not None
