#!/usr/bin/env python3
"""Runs a program in what script/image has laid out, as a container does that may do as little as possible:

    contained.py [option...] LAYOUT [WORD...]

without words that of packaging/Dockerfile. The layout is mounted read-only and is the root; there is no /tmp, no
capability, and the program is the first of its process namespace. HOME/etc and HOME/var of the image are the folders
etc (read-only) and var of FLOWFORGE_HOME, which is given to the user. The network is that of the machine.
"""
import argparse
import ctypes
import os
import pathlib
import signal
import stat
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from dockerfile import Image  # noqa: E402

NEW_MOUNTS, NEW_HOST_NAME, NEW_IPC, NEW_PROCESSES = 0x00020000, 0x04000000, 0x08000000, 0x20000000
READ_ONLY, NO_SUID, NO_DEVICES, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
PARENT_DEATH_SIGNAL, NO_NEW_PRIVILEGES, DROP_CAPABILITY = 1, 38, 24
# What the kernel may send that flowstore understands.
FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2)
PASSED_ON = ("NODE_ENV", "NODE_EXTRA_CA_CERTS", "PORT")
DEVICES = {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9)}

libc = ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def mount(source, target, kind=None, flags=0, data=None):
    words = [word.encode() if word else None for word in (str(source), str(target), kind, data)]
    checked(libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]), f"mount {target}")


def bind(source, target, flags=0):
    mount(source, target, flags=BIND)
    mount("none", target, flags=BIND | REMOUNT | NO_SUID | NO_DEVICES | flags)


def lay_out(options, home):
    """Mounts everything; what it takes for that in the layout itself is there afterwards, too."""
    layout = options.layout
    mount("none", "/", flags=RECURSIVE | PRIVATE)
    mount(layout, layout, flags=BIND)
    for host, target, flags in volumes(options, home):
        inside = pathlib.Path(f"{layout}{target}")
        if host.is_dir():
            inside.mkdir(parents=True, exist_ok=True)
        else:
            inside.parent.mkdir(parents=True, exist_ok=True)
            inside.touch()
    mount("none", layout, flags=BIND | REMOUNT | READ_ONLY | NO_SUID | NO_DEVICES)
    mount("tmpfs", f"{layout}/dev", "tmpfs", NO_SUID, "mode=755,size=64k")
    for name, numbers in DEVICES.items():
        os.mknod(f"{layout}/dev/{name}", stat.S_IFCHR | 0o666, os.makedev(*numbers))
        os.chmod(f"{layout}/dev/{name}", 0o666)
    mount("tmpfs", f"{layout}/dev", flags=REMOUNT | READ_ONLY | NO_SUID)
    mount("proc", f"{layout}/proc", "proc", NO_SUID | NO_DEVICES)
    for host, target, flags in volumes(options, home):
        bind(host, f"{layout}{target}", flags)


def volumes(options, home):
    """What lies where, and whether it may be written."""
    found = [] if options.volume else [(home / "etc", f"{options.home}/etc", READ_ONLY), (home / "var", f"{options.home}/var", 0)]
    for words in options.volume:
        host, target, *how = words.split(":")
        found.append((pathlib.Path(host), target, READ_ONLY if how == ["ro"] else 0))
    return found


def become(user, group):
    """Of the capabilities not even the bounding set is left."""
    checked(libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")
    for number in range(64):
        if libc.prctl(DROP_CAPABILITY, number, 0, 0, 0) < 0:
            break
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    if user == 0:
        drop_capabilities_of_root()


def drop_capabilities_of_root():
    header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    checked(libc.capset(ctypes.byref(header), ctypes.byref(nothing)), "capset")


def enter(options, image, home):
    checked(libc.prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0), "prctl")
    lay_out(options, home)
    os.chroot(options.layout)
    os.chdir(image.folder)
    become(options.user, options.group)
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    words = options.words or image.command
    os.execvpe(words[0], words, {**passed_on, **image.environment})


def wait_for(child):
    """Passes signals on; returns the exit code, or that of a shell for a signal."""
    for number in FORWARDED:
        signal.signal(number, lambda number, _: os.kill(child, number))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def main():
    image = Image()
    parser = argparse.ArgumentParser(prog="contained.py")
    parser.add_argument("--user", type=int, default=1000)
    parser.add_argument("--group", type=int, default=1000)
    parser.add_argument("--volume", action="append", default=[], metavar="HOST:INSIDE[:ro]", help="in place of those of FLOWFORGE_HOME")
    parser.add_argument("layout", type=os.path.realpath)
    parser.add_argument("words", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    options.home = image.environment["FLOWFORGE_HOME"]
    home = pathlib.Path(os.environ.get("FLOWFORGE_HOME", "."))
    if not options.volume:
        os.chown(home / "var", options.user, options.group)
    checked(libc.unshare(NEW_MOUNTS | NEW_HOST_NAME | NEW_IPC | NEW_PROCESSES), "unshare")
    child = os.fork()
    if child == 0:
        enter(options, image, home)
    return wait_for(child)


if __name__ == "__main__":
    sys.exit(main())
