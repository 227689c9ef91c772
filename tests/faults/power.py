"""What a disk still has after a power cut, reckoned from the system calls of a process.

The disk of this model keeps no promise but those of POSIX: what was written to a file may be there or
not until the file is synced, and a name may be there or not until its folder is synced. So it forgets
more than any real file system does.
"""
import ast
import collections
import contextlib
import os
import pathlib
import posixpath
import re
import subprocess

CALLS = ("open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,"
         "write,pwrite64,writev,pwritev,ftruncate,truncate,fsync,fdatasync,syncfs,sync,sendto,sendmsg,sendfile,mmap")
NOTHING = None  # there is no such file


def traced(log, *words):
    """A command line that becomes `words`, while another process keeps a record of what it does to
    files."""
    return ["strace", "-D", "-f", "-y", "-q", "-s", "10000000", "-e", "signal=none", "-e", f"trace={CALLS}", "-o", str(log), *words]


def can_trace():
    return subprocess.run(traced("/dev/null", "true"), capture_output=True).returncode == 0


def tracer_of(process):
    """The number of the process that keeps the record of this one."""
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"^TracerPid:\s+(\d+)$", status, re.M)[1])


def has_ended(process):
    """Whether this process has done its last."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


# ---------------------------------------------------------------- the record
Call = collections.namedtuple("Call", "name arguments result")


def calls(log):
    """The calls of all threads that succeeded, in the order in which they ended. Whoever was killed while it sent may have
    sent it: such calls come last."""
    begun = {}
    with open(log, encoding="latin-1") as lines:
        for line in lines:
            thread, _, text = line.rstrip("\n").partition(" ")
            text = text.lstrip()
            if text.endswith("<unfinished ...>"):
                begun[thread] = text.removesuffix("<unfinished ...>").rstrip()
                if text.startswith("syncfs("):
                    yield Call("syncfs_begins", "", 0)
                continue
            resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", text, re.S)
            if resumed:
                text = begun.pop(thread) + resumed[1]
            found = re.match(r"(\w+)\((.*)\) += (-?\d+)(?:<[^>]*>)?(?: .*)?$", text, re.S)
            if found and int(found[3]) >= 0:
                yield Call(found[1], found[2], int(found[3]))
            elif re.match(r"send\w+\(.*\) += \?", text, re.S):
                begun[thread] = text
    for text in begun.values():
        if text.startswith("send"):
            name, _, arguments = text.partition("(")
            yield Call(name, arguments, 0)


def literal(text):
    """The bytes of the C string that text begins with, and what follows it."""
    end = re.match(r'"(?:[^"\\]|\\.)*"', text, re.S).end()
    return ast.literal_eval("b" + text[:end]), text[end:]


def place(arguments):
    """The path of a descriptor, and what follows it; '' for AT_FDCWD and the like."""
    found = re.match(r"(?:-?\d+|AT_FDCWD)(?:<(.*?)>)?(?:, |$)", arguments, re.S)
    return found[1] or "", arguments[found.end():]


def path_in(arguments):
    """The path that a folder's descriptor and a name make, and what follows them."""
    folder, rest = place(arguments)
    name, rest = literal(rest)
    return posixpath.normpath(posixpath.join(folder, name.decode())), rest.removeprefix(", ")


# ---------------------------------------------------------------- the disk
class Inode:
    """A file or folder. `versions` are the contents that a file may have after a power cut, the latest
    last; what was never synced begins as nothing."""

    def __init__(self, is_folder=False):
        self.is_folder = is_folder
        self.versions = [b""]

    def write(self, bytes_written, offset=None):
        old = self.versions[-1]
        at = len(old) if offset is None else offset
        self.versions.append(old[:at].ljust(at, b"\0") + bytes_written + old[at + len(bytes_written):])

    def sync(self):
        del self.versions[:-1]


class Disk:
    """The names below `root`, which was there and synced at the beginning."""

    def __init__(self, root):
        self.root = str(root)
        self.now = {self.root: Inode(is_folder=True)}
        self.kept = {}  # by path: what a synced folder has there
        self.lately = collections.defaultdict(list)  # by path: what it had there since
        self.before_sync = None

    def apply(self, call):
        getattr(self, f"_{call.name}", lambda call: None)(call)

    def may_be(self, path):
        """The contents that a file may have after a power cut at this moment, NOTHING among them."""
        found = set()
        at = self.root
        for name in posixpath.relpath(path, self.root).split("/"):
            at = posixpath.join(at, name)
            inodes = [self.kept.get(at), *self.lately.get(at, [])]
            if None in inodes:
                found.add(NOTHING)
            if not any(inodes):
                return found
        return found | {version for inode in inodes if inode for version in inode.versions}

    def left(self, choose):
        """What a power cut at this moment leaves below the root: contents by path, NOTHING for folders.
        `choose` picks one of the states that each name and each file may have, the oldest first."""
        found = {}
        for path in sorted(set(self.kept) | set(self.lately)):
            folder = posixpath.dirname(path)
            if folder != self.root and found.get(folder, b"") is not NOTHING:
                continue  # it cannot be reached
            inode = choose([self.kept.get(path), *self.lately.get(path, [])])
            if inode is not None:
                found[path] = NOTHING if inode.is_folder else choose(inode.versions)
        return found

    def unsynced(self, path):
        """Whether a power cut may lose something of this file, or its name."""
        inode = self.now.get(path)
        return bool(self.lately.get(path)) or (inode is not None and len(inode.versions) > 1)

    # ---- names
    def _put(self, path, inode):
        if not path.startswith(self.root + "/"):
            return
        if inode is None:
            self.now.pop(path, None)
        else:
            self.now[path] = inode
        self.lately[path].append(inode)

    def _make_folder(self, path):
        self._put(path, Inode(is_folder=True))
        for known in (self.kept, self.lately):  # what had this name is another folder
            for name in [name for name in known if name.startswith(path + "/")]:
                del known[name]

    def _mkdirat(self, call):
        self._make_folder(path_in(call.arguments)[0])

    def _mkdir(self, call):
        self._make_folder(literal(call.arguments)[0].decode())

    def _openat(self, call):
        path, flags = path_in(call.arguments)
        self._opened(path, flags)

    _openat2 = _openat

    def _opened(self, path, flags):
        if "O_CREAT" in flags and path not in self.now:
            self._put(path, Inode())
        if "O_TRUNC" in flags and path in self.now:
            self.now[path].versions.append(b"")

    def _renameat(self, call):
        old, rest = path_in(call.arguments)
        new, _ = path_in(rest)
        self._put(new, self.now.get(old))
        self._put(old, None)

    def _renameat2(self, call):
        old, rest = path_in(call.arguments)
        new, flags = path_in(rest)
        if "RENAME_EXCHANGE" not in flags:
            self._renameat(call)
            return
        one, other = self.now.get(old), self.now.get(new)
        self._put(new, one)
        self._put(old, other)

    def _unlinkat(self, call):
        self._put(path_in(call.arguments)[0], None)

    def _unlink(self, call):
        self._put(literal(call.arguments)[0].decode(), None)

    # ---- contents
    def _write(self, call):
        path, rest = place(call.arguments)
        if path in self.now:
            self.now[path].write(literal(rest)[0][:call.result])

    def _pwrite64(self, call):
        path, rest = place(call.arguments)
        if path in self.now:
            written, rest = literal(rest)
            self.now[path].write(written[:call.result], int(rest.split(", ")[2]))

    def _ftruncate(self, call):
        path, rest = place(call.arguments)
        if path in self.now:
            size = int(rest)
            self.now[path].versions.append(self.now[path].versions[-1][:size].ljust(size, b"\0"))

    # ---- syncs
    def _fsync(self, call):
        path, _ = place(call.arguments)
        if path in self.now:
            self._sync(path)

    _fdatasync = _fsync

    def _sync(self, path):
        inode = self.now[path]
        if not inode.is_folder:
            inode.sync()
            return
        for name in [name for name in self.lately if posixpath.dirname(name) == path]:
            self.kept[name] = self.now.get(name)
            del self.lately[name]

    def _syncfs_begins(self, _):
        """What changes until it ends may be forgotten all the same."""
        self.before_sync = [(path, inode, inode.versions[-1]) for path, inode in self.now.items()]
        self.names_before_sync = {path: len(names) for path, names in self.lately.items()}

    def _syncfs(self, _):
        if self.before_sync is None:
            self._syncfs_begins(_)
        for path, inode, version in self.before_sync:
            if not inode.is_folder:
                while inode.versions[0] is not version and any(one is version for one in inode.versions):
                    del inode.versions[0]
        for path, count in self.names_before_sync.items():
            names = self.lately.get(path, [])
            if len(names) < count:
                continue  # its folder was synced meanwhile
            self.kept[path] = names[count - 1]
            del names[:count]
            if not names:
                del self.lately[path]
        self.before_sync = None


def lay_out(found, old_root, new_root):
    """Makes the files and folders that Disk.left() told of, in another place."""
    for path, content in found.items():
        place = pathlib.Path(new_root) / posixpath.relpath(path, old_root)
        if content is NOTHING:
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(place, "wb") as file:
            # Zeros need not be written: a log is full of them.
            file.write(content.rstrip(b"\0"))
            os.truncate(place, len(content))
        # A start leaves alone what was changed long after the log says, and the log may have been written minutes ago.
        os.utime(place, (0, 0))
