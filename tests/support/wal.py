"""The write-ahead log of localfs and its records of appends, from outside. docs/storage.md describes the bytes."""
import pathlib
import struct
import time
import zlib

BLOCK = 4096
CHECKED = 56  # bytes of a segment's head that its checksum is of
BOOT = slice(16, 52)
RECORD_BOOT = slice(8, 44)
PATIENCE = 60  # seconds until the files of the log are there


def segments(root):
    return [pathlib.Path(root) / ".flowstore/wal" / name for name in "01"]


def has_frames(root):
    for path in segments(root):
        if path.is_file():
            with open(path, "rb") as segment:
                segment.seek(BLOCK)
                if segment.read(4) == b"FLW1":
                    return True
    return False


def use_log(server):
    """Writes until a write has gone by way of the log."""
    deadline = time.monotonic() + PATIENCE
    while not has_frames(server.root):
        if time.monotonic() > deadline:
            raise AssertionError("there is no write-ahead log")
        server.write("log", b"x")
    server.remove("log")


def forget_run(root):
    """Lets the log be of another run of the machine: the next start cannot rely on what the kernel
    remembers."""
    for path in segments(root):
        if not path.is_file() or path.stat().st_size < BLOCK:
            continue
        with open(path, "r+b") as segment:
            head = bytearray(segment.read(CHECKED))
            head[BOOT] = b"?" * 36
            segment.seek(0)
            segment.write(head + struct.pack("<I", zlib.crc32(head)))


def forget_run_of_appends(root):
    """The same for the records of appends that were under way."""
    for path in pathlib.Path(root).glob(".flowstore/tmp/*/append-*"):
        with open(path, "r+b") as record:
            record.seek(RECORD_BOOT.start)
            record.write(b"?" * 36)
