#!/usr/bin/env python3
"""Draws the chart of the README from a result of script/bench.

    bench/chart.py                 writes docs/images/benchmark.svg
    bench/chart.py --check         fails if that is not what the result says
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULT = ROOT / "bench/results/2026-11-28-files.md"
CHART = ROOT / "docs/images/benchmark.svg"
WORKS = ("GET 1 KiB", "GET 64 KiB", "POST 1 KiB", "POST 64 KiB", "append 100 B")
SERVERS = {"flowstore": "#0f766e", "nginx": "#94a3b8", "old server": "#d97706"}

WIDTH, LEFT, RIGHT, TOP = 720, 110, 130, 64
BAR, GAP = 15, 14  # height of a bar, room between works


def figures():
    """Requests a second, by work and server."""
    row = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([\d,]+)/s \|", re.M)
    return {(work, server): int(number.replace(",", "")) for work, server, number in row.findall(RESULT.read_text())}


def text(x, y, words, **more):
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    return f'<text x="{x:g}" y="{y:g}"{attributes}>{words}</text>'


def legend():
    x = LEFT
    for server, colour in SERVERS.items():
        yield f'<rect x="{x}" y="38" width="11" height="11" fill="{colour}"/>'
        name = server if server != "nginx" else "nginx (writes not durable)"
        yield text(x + 16, 48, name)
        x += 36 + 7 * len(name)


def bars(found):
    most = max(found[work, server] for work in WORKS for server in SERVERS if (work, server) in found)
    y = TOP
    for work in WORKS:
        servers = [server for server in SERVERS if (work, server) in found]
        yield text(LEFT - 8, y + len(servers) * BAR / 2 + 4, work, text_anchor="end", font_weight="600")
        for server in servers:
            value = found[work, server]
            width = value / most * (WIDTH - LEFT - RIGHT)
            yield f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 2}" fill="{SERVERS[server]}"/>'
            ratio = f" · {value / found[work, 'old server']:.1f} x" if server == "flowstore" else ""
            yield text(LEFT + width + 5, y + BAR - 4, f"{value:,}{ratio}", font_size=11)
            y += BAR
        y += GAP
    yield y


def chart():
    found = figures()
    *drawn, height = bars(found)
    title = f"Requests a second, 64 connections, one core ({RESULT.name[:10]}); x: times the old server"
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#1e293b" role="img">',
        f"<title>{title}</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>',
        text(LEFT, 24, title, font_weight="600", font_size=14),
        *legend(), *drawn, "</svg>", ""])


def main():
    if sys.argv[1:] == ["--check"]:
        if CHART.read_text() != chart():
            print(f"{CHART.relative_to(ROOT)} is not what {RESULT.relative_to(ROOT)} says; run bench/chart.py")
            return 1
        return 0
    CHART.parent.mkdir(exist_ok=True)
    CHART.write_text(chart())
    return 0


if __name__ == "__main__":
    sys.exit(main())
