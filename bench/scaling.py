#!/usr/bin/env python3
"""script/bench scaling: how works slow down while what is stored, asked or connected grows.

Writes the tables of bench/scaling.md; the words around them, which say why a curve is as it is, stay.
"""
import argparse
import datetime
import re
import signal
import sys

from curves import CURVES
from machine import CORES, measured_load
from peers import ROOT, Stage
from rounds import chosen, measure

TARGET = ROOT / "bench/scaling.md"


def parse_arguments():
    parser = argparse.ArgumentParser(prog="script/bench scaling")
    parser.add_argument("curves", nargs="*", metavar="CURVE", help=f"{', '.join(CURVES)}; default all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--only", metavar="REGEX", help="works whose name matches; writes no result")
    parser.add_argument("--quick", action="store_true", help="a look: one round of one second of the small points; writes no result")
    parser.add_argument("--folder", help="where files and databases lie; default a temporary folder beside the build, on its disk")
    options = parser.parse_args()
    if unknown := set(options.curves) - set(CURVES):
        parser.error(f"no such curve: {', '.join(sorted(unknown))}; there are {', '.join(CURVES)}")
    if options.quick:
        options.rounds, options.seconds = 1, 1
    return options


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
    options = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    options.load = measured_load()
    for name in options.curves or CURVES:
        table = run_curve(name, options)
        print("\n" + table + "\n", flush=True)
        if not options.quick and not options.only:
            replace_table(name, table)
            print(f"written to {TARGET.relative_to(ROOT)}", flush=True)


if __name__ == "__main__":
    main()
