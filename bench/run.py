#!/usr/bin/env python3
"""script/bench: all works beside all peers, in turn on this machine, and a verdict on every goal. See bench/README.md."""
import datetime
import importlib
import os
import signal
import sys
import time

import arguments
import old_server
from machine import CORES, LOAD_THREADS, SERVER_CORES, measured_load
from peers import ROOT, Stage
from report import goals_table
from rounds import chosen, measure

PARTS = ("files", "long", "context", "stored", "s3", "footprint", "fairness")


def parse_arguments():
    def add_more(parser):
        parser.add_argument("--clients", type=int, nargs="+", default=[64], help="at once, of context; goals are for 64")
        parser.add_argument("--old-server", default=os.environ.get("OLD_SERVER"), metavar="COMMAND",
                            help="starts FlowFuse's file server; default: its npm package; 'none': without it")
    return arguments.parse("script/bench", "PART", PARTS, 5, add_more)


def run_part(name, options):
    """(results, lines of the report); None where nothing of it was asked for."""
    part = importlib.import_module(name)
    with Stage(options) as stage:
        cells = chosen(list(part.cells(stage)), options)
        results = measure(name, cells, stage.leaders, options)
        remarks = part.remarks(stage, results) if hasattr(part, "remarks") and not options.only else []
    if not cells and not remarks:
        return None
    return results, [f"## {name}", "", part.ABOUT, "", *results.lines(), "", *results.remarks(), *remarks, ""]


def run_parts(options):
    all_results, lines = [], []
    for number, name in enumerate(options.names, 1):
        print(f"part {number} of {len(options.names)}: {name}", flush=True)
        if found := run_part(name, options):
            all_results.append(found[0])
            lines += found[1]
            print("\n" + "\n".join(found[1]), flush=True)
    return all_results, lines


def head(options, load, seconds):
    return ["# script/bench", "",
            f"{datetime.datetime.now():%Y-%m-%d %H:%M}, {CORES} cores ({SERVER_CORES} for servers, {LOAD_THREADS} for clients); "
            f"rounds: {options.rounds}, {options.seconds} s each, peers in turn in each; load average before: {load:.1f}; "
            f"minutes taken: {seconds / 60:.0f}. Old server: {'`' + ' '.join(options.old_server) + '`' if options.old_server else 'none'}.", "",
            "## Goals", ""]


def main():
    options = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    options.old_server = old_server.command(options.old_server)
    load, begun = measured_load(), time.monotonic()
    all_results, lines = run_parts(options)
    goals = goals_table(all_results, options.is_whole)
    print("\n" + "\n".join(goals))
    if options.is_written:
        suffix = "" if options.is_whole else "-" + "-".join(options.names)
        target = ROOT / "bench/results" / f"{datetime.date.today()}{suffix}.md"
        target.write_text("\n".join([*head(options, load, time.monotonic() - begun), *goals, "", *lines]))
        print(f"written to {target.relative_to(ROOT)}")
    return 1 if any(server.startswith("flowstore") for results in all_results for _, server, _ in results.failures) else 0


if __name__ == "__main__":
    sys.exit(main())
