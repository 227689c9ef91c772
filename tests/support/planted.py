"""The secrets that tests give to flowstore. None may come out of it again: in no line of a log, no
answer, no figure."""
import os
import pathlib
import re
import uuid

PASSWORD = "planted-password"  # of the tests' databases

PLANTED = re.compile(
    rb"planted-(?:\w+-)?(?:token|password|secret)"
    rb"|hidden-password|testsecret"  # of tests/program, and of the S3 store
    rb"|\btok\.[\w-]+\.\w"  # of tests/contract
)


def secrets_in(content):
    """Which of them are in these bytes."""
    return sorted({found.decode() for found in PLANTED.findall(content)})


def log_path(folder):
    """A new name for the output of one process: where script/test looks at all of them, or else in
    this folder."""
    kept = os.environ.get("FLOWSTORE_LOGS")
    return pathlib.Path(kept) / f"{uuid.uuid4()}.log" if kept else pathlib.Path(folder) / "log"
