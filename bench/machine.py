"""What the machine is and what its processes have used: cores, CPU time and memory, ours and that of others."""
import os
import pathlib
import re
import sys
import time
from dataclasses import dataclass

CORES = os.cpu_count() or 2
SERVER_CORES = max(1, CORES // 2)
SERVER_SET = f"0-{SERVER_CORES - 1}"
LOAD_SET = f"{SERVER_CORES}-{CORES - 1}" if CORES > SERVER_CORES else "0"
LOAD_THREADS = max(1, CORES - SERVER_CORES)
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGESIZE")
KTHREADD = 2  # the parent of the kernel's threads, whose work nobody can be charged with


@dataclass(frozen=True)
class Process:
    parent: int
    group: int
    seconds: float  # of CPU, with those of the children that have ended


def processes():
    """All processes of the machine that can be seen, by id."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            fields = pathlib.Path(f"/proc/{name}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:  # it has ended
            continue
        found[int(name)] = Process(int(fields[1]), int(fields[2]), sum(map(int, fields[11:15])) / TICKS)
    return found


def family(leaders, everybody):
    """The ids of these processes, of their groups and of all that descend from them: PostgreSQL's have groups of their own."""
    members = {pid for pid, process in everybody.items() if pid in leaders or process.group in leaders}
    size = 0
    while size != len(members):
        size = len(members)
        members |= {pid for pid, process in everybody.items() if process.parent in members}
    return members


def cpu_seconds(leader):
    everybody = processes()
    return sum(everybody[pid].seconds for pid in family({leader}, everybody))


def resident_mib(leader):
    """Of the leader's whole family; what its processes share counts for each of them."""
    return sum(resident_pages(pid) for pid in family({leader}, processes())) * PAGE / 2**20


def resident_pages(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0


def most_resident_mib(leader, anew=False):
    """The most that each process of the family has had resident, added up; counted from now on if `anew`."""
    total = 0
    for pid in family({leader}, processes()):
        if anew:
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
        total += int(re.search(r"^VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1])
    return total / 1024


class Foreign:
    """How many cores others have had since it was made: everybody's time, and what a hypervisor took away, less that of
    `leaders` with their families, of this program with its children, and of the kernel's threads."""

    def __init__(self, leaders):
        self.leaders = set(leaders)
        self.begun, self.before = time.monotonic(), self.used_by_others()

    def cores(self):
        return max(0.0, self.used_by_others() - self.before) / max(time.monotonic() - self.begun, 1e-3)

    def used_by_others(self):
        everybody = processes()
        known = family(self.leaders, everybody) | {pid for pid, process in everybody.items() if process.parent == KTHREADD}
        known.discard(os.getpid())
        times = os.times()
        ours = times.user + times.system + times.children_user + times.children_system
        return busy_seconds() - sum(everybody[pid].seconds for pid in known) - ours


def busy_seconds():
    """Of all cores together; interrupts are nobody's."""
    user, nice, system, _, _, _, _, steal = map(int, pathlib.Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + steal) / TICKS


def measured_load():
    """The load average before anything is started; says so where it is high."""
    before = os.getloadavg()[0]
    if before > 0.5:
        print(f"the machine is busy (load average {before:.1f}): disturbed measurements are thrown away, which may take long", file=sys.stderr)
    return before
