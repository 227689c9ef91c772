"""The command line of script/bench and script/bench scaling."""
import argparse
import os


def parse(program, what, names, rounds, add_more=lambda parser: None):
    """`names` are what may be chosen, each a `what`; gives options with the chosen ones in `names`, and all of them if none is."""
    parser = argparse.ArgumentParser(prog=program)
    parser.add_argument("names", nargs="*", metavar=what, help=f"{', '.join(names)}; default all")
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seconds", type=int, default=int(os.environ.get("BENCH_SECONDS", "2")), help="of each measurement")
    parser.add_argument("--only", metavar="REGEX", help="works whose name matches; writes no result")
    parser.add_argument("--quick", action="store_true", help="a look: one round of one second; writes no result")
    parser.add_argument("--folder", help="where files and databases lie; default a temporary folder beside the build, on its disk")
    add_more(parser)
    options = parser.parse_args()
    if unknown := set(options.names) - set(names):
        parser.error(f"no such {what.lower()}: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    options.is_whole = not options.names and not options.only
    options.is_written = not options.only and not options.quick
    options.names = options.names or list(names)
    if options.quick:
        options.rounds, options.seconds = 1, 1
    return options
