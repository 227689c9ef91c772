"""Measures every cell for every peer in every round, so that whatever else happens on the machine meets all of them.

What others have disturbed is thrown away and measured again.
"""
import os
import re
import time
from dataclasses import dataclass
from typing import Callable

from machine import Foreign
from peers import Failed
from report import Results

MOST_FOREIGN = 0.2  # cores that others may have during a measurement
TRIES = 4
PAUSE = 2  # seconds before it is tried again


@dataclass
class Cell:
    """One work. `run(peer, label)` does it once and gives a row: `value` in `unit`, and what else is known of p50 and p99 in ms, cpu
    in us per request and growth in MiB; `label` differs each time. `base` is the work that the same peer's figures are set
    beside."""
    work: str
    peers: list
    run: Callable
    unit: str = "/s"
    base: str = None
    is_writing: bool = False  # what it leaves to be written must not meet the next one


def chosen(cells, options):
    """The cells that are asked for, and those that they are set beside."""
    wanted = {cell.work for cell in cells if re.search(options.only or "", cell.work)}
    wanted |= {cell.base for cell in cells if cell.work in wanted}
    return [cell for cell in cells if cell.work in wanted]


def measure(part, cells, leaders, options):
    """`leaders` gives the processes that belong to the benchmark at that moment."""
    results = Results(cells)
    total, done, begun = options.rounds * sum(len(cell.peers) for cell in cells), 0, time.monotonic()
    for number in range(1, options.rounds + 1):
        for cell in cells:
            # There and back, so that nobody always comes after the same one.
            for peer in cell.peers if number % 2 else reversed(cell.peers):
                done += 1
                measure_undisturbed(cell, peer, number, leaders, results, 1 if options.quick else TRIES)
                print(f"{part} {done}/{total} {time.monotonic() - begun:4.0f} s  {cell.work:40} {peer.name:26} "
                      f"{results.newest(cell, peer)}", flush=True)
    return results


def measure_undisturbed(cell, peer, number, leaders, results, tries):
    """Keeps the first measurement during which others were quiet, or else the quietest, which is counted as disturbed."""
    best = None
    for attempt in range(1, tries + 1):
        if cell.is_writing:
            os.sync()
        foreign = Foreign(leaders())
        try:
            row = cell.run(peer, f"{number}-{attempt}")
        except Failed as failure:
            results.failed(cell, peer, str(failure))
            return
        row["foreign"] = foreign.cores()
        if best is None or row["foreign"] < best["foreign"]:
            best = row
        if row["foreign"] <= MOST_FOREIGN:
            break
        if attempt < tries:
            results.thrown_away += 1
            time.sleep(PAUSE)
    results.add(cell, peer, best, is_disturbed=best["foreign"] > MOST_FOREIGN)
