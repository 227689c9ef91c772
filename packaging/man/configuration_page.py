#!/usr/bin/env python3
"""Makes the manual page flowstore.yml(5) of docs/configuration.md, so that there is one text of it:

    configuration_page.py docs/configuration.md > flowstore.yml.5

Knows the Markdown that the document uses: headings, paragraphs, lists, code and tables. A table of options becomes
tagged paragraphs, any other one becomes lines.
"""
import re
import sys

TOP = """\
.TH FLOWSTORE.YML 5 "" flowstore "File formats"
.SH NAME
flowstore.yml, flowforge\\-storage.yml \\- configuration of flowstore
.SH DESCRIPTION
"""
BOTTOM = """\
.SH FILES
.TP
.I /etc/flowstore/flowforge\\-storage.yml
of the service that the Debian package brings; HOME is
.IR /var/lib/flowstore .
.SH SEE ALSO
.BR flowstore (1)
"""


def escaped(text):
    """Characters as they are: roff takes some at the start of a line, and others anywhere, for its own."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return "\\&" + text if text.startswith(".") else text


def inline(text):
    """Code in bold, links as their text."""
    text = re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", text.replace("\\|", "|"))
    words = re.split(r"`([^`]*)`", text)
    return "".join(f"\\fB{escaped(word)}\\fR" if index % 2 else escaped(word) for index, word in enumerate(words))


def cells(row):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def table(rows):
    head, *body = [cells(row) for row in rows if not re.fullmatch(r"[|\-: ]+", row.strip())]
    for row in body:
        yield ".TP\n" + inline(row[0])
        if head[:3] == ["option", "default", "meaning"]:
            yield from option(*(row + ["", ""])[1:4])
        else:
            yield inline("; ".join(row[1:]))


def option(default, meaning, example):
    yield inline(meaning) + "."
    facts = [f"{name}: {inline(value)}" for name, value in (("Default", default), ("Example", example)) if value]
    if facts:
        yield ".br\n" + ". ".join(facts)


def code(lines):
    yield from (".PP\n.in +4n\n.nf", *(escaped(line) or ".sp" for line in lines), ".fi\n.in")


def items(lines):
    text = "\n".join(lines)
    for mark, item in re.findall(r"(?m)^(\d+\.|-) ((?:.|\n(?!\d+\. |- ))*)", text):
        yield f'.IP "{escaped(mark) if mark != "-" else "•"}" 4\n' + inline(" ".join(item.split()))


def block(lines):
    first = lines[0]
    if first.startswith("#"):
        title = first.lstrip("#").strip()
        # The title of the document is the page's own.
        return [] if first.startswith("# ") else [".SH " + escaped(title.upper())]
    if first.startswith("```"):
        return code(lines[1:-1])
    if first.startswith("    "):
        return code([line[4:] for line in lines])
    if first.startswith("|"):
        return table(lines)
    if re.match(r"\d+\. |- ", first):
        return items(lines)
    return [".PP\n" + inline(" ".join(lines))]


def blocks(text):
    """What stands between empty lines, and what is fenced, as lists of lines."""
    found = re.findall(r"```.*?\n```|(?:(?!```).+\n?)+", text, re.S | re.M)
    for part in found:
        if part.startswith("```"):
            yield part.splitlines()
        else:
            yield from (piece.splitlines() for piece in re.split(r"\n\s*\n", part.strip("\n")) if piece.strip())


def page(text):
    lines = [line for part in blocks(text) for line in block(part)]
    return TOP + "\n".join(lines) + "\n" + BOTTOM


if __name__ == "__main__":
    sys.stdout.write(page(open(sys.argv[1], encoding="utf-8").read()))
