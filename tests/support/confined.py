#!/usr/bin/env python3
"""Becomes a program under the system call filter and the address families of a unit of systemd:

    confined.py packaging/systemd/flowstore.service flowstore [WORD...]

systemd applies the same filter, but only where it is the first process. What the unit refuses ends
the program with SIGSYS here; the one exception is a socket of another family, which is refused.
"""
import ctypes
import os
import re
import subprocess
import sys

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
EAFNOSUPPORT = 97
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
EQUAL = 4  # SCMP_CMP_EQ


def values(unit, key):
    """The lines of a key, in order."""
    return re.findall(rf"^{key}=(.*)$", open(unit).read(), re.M)


def named(word):
    """The calls that a word of a filter stands for: a call, or a set of calls and other sets."""
    if not word.startswith("@"):
        return {word}
    lines = subprocess.run(["systemd-analyze", "syscall-filter", word], check=True, capture_output=True, text=True,
                           stdin=subprocess.DEVNULL).stdout.splitlines()
    words = [line.strip() for line in lines[1:] if line.strip() and not line.strip().startswith("#")]
    return set().union(*map(named, words))


def allowed_calls(unit):
    """The first line allows, those with a ~ take away."""
    calls = named("@default")
    for line in values(unit, "SystemCallFilter"):
        for word in line.removeprefix("~").split():
            calls = calls - named(word) if line.startswith("~") else calls | named(word)
    # That this program becomes the other is systemd's part. SQLite gives what it makes to the owner of
    # the database, but only as root, which the unit is not.
    return calls | {"execve"} | ({"fchown"} if os.geteuid() == 0 else set())


class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("how", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


class Filter:
    def __init__(self):
        self.library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self.library.seccomp_init.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.library.seccomp_init(ctypes.c_uint32(KILL)))

    def add(self, action, call, comparison=None):
        number = self.library.seccomp_syscall_resolve_name(call.encode())
        if number == -1:  # not of this processor
            return
        count, pointer = (1, ctypes.byref(comparison)) if comparison else (0, None)
        self.check(self.library.seccomp_rule_add_array(self.context, ctypes.c_uint32(action), number, count, pointer), call)

    def load(self):
        self.check(self.library.seccomp_load(self.context), "load")

    @staticmethod
    def check(result, what):
        if result < 0:
            raise OSError(-result, f"{what}: {os.strerror(-result)}")


def confine(unit):
    families = {FAMILIES[name] for line in values(unit, "RestrictAddressFamilies") for name in line.split()}
    rules = Filter()
    for call in sorted(allowed_calls(unit) - {"socket"}):
        rules.add(ALLOW, call)
    for family in range(64):
        action = ALLOW if family in families else ERRNO | EAFNOSUPPORT
        rules.add(action, "socket", Comparison(0, EQUAL, family, 0))
    rules.load()


if __name__ == "__main__":
    confine(sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])
