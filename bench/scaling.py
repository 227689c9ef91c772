#!/usr/bin/env python3
"""script/bench scaling: how works slow down while what is stored, asked or connected grows.

Writes the tables of bench/scaling.md; the words around them, which say why a curve is as it is, stay.
"""
import datetime
import re
import signal
import sys

import arguments
from curves import CURVES
from machine import CORES, measured_load
from peers import ROOT, Stage
from rounds import chosen, measure

TARGET = ROOT / "bench/scaling.md"


def run_curve(name, options):
    with Stage(options) as stage:
        results = measure(name, chosen(list(CURVES[name](stage)), options), stage.leaders, options)
    about = (f"{datetime.date.today()}, {CORES} cores, half of them for the server; rounds: {options.rounds}, {options.seconds} s each; load "
             f"average before: {options.load:.1f}.")
    return "\n".join([about, "", *results.lines(), "", *results.remarks()])


def replace_table(name, table):
    """Between the two lines that mark its place."""
    begin, end = f"<!-- table: {name} -->", f"<!-- end: {name} -->"
    text = TARGET.read_text()
    found = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.S)
    if not found.search(text):
        raise SystemExit(f"{TARGET.relative_to(ROOT)} has no place for {name}: {begin} ... {end}")
    TARGET.write_text(found.sub(lambda _: f"{begin}\n{table}\n{end}", text))


def main():
    options = arguments.parse("script/bench scaling", "CURVE", CURVES, 3)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    options.load = measured_load()
    for name in options.names:
        table = run_curve(name, options)
        print("\n" + table + "\n", flush=True)
        if options.is_written:
            replace_table(name, table)
            print(f"written to {TARGET.relative_to(ROOT)}", flush=True)


if __name__ == "__main__":
    main()
