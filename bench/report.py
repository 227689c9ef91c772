"""What has been measured, as tables: medians, spread, the ratio to each peer, and each goal beside its figure."""
import statistics
from dataclasses import dataclass

from goals import ABSOLUTE, BASE, FLOWSTORE, GOALS, goals_for

HEAD = ["| work | server | median | spread | p50 ms | p99 ms | CPU us/request | memory MiB | growth MiB | is, of |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---|"]


@dataclass
class Verdict:
    """A goal, and the figure for it in one work; `figure` is None where something was not measured."""
    goal: object
    work: str
    figure: float

    def word(self):
        if self.figure is None:
            return "not measured"
        return "met" if self.goal.is_met_by(self.figure) else "**missed**"

    def against(self):
        kind = "" if self.goal.of == "value" else f"{self.goal.of}, "
        return kind + self.goal.peer


class Results:
    """The rows of one part, by work and peer."""

    def __init__(self, cells):
        self.cells = {cell.work: cell for cell in cells}
        self.rows, self.failures = {}, []
        self.thrown_away = self.disturbed = 0

    def add(self, cell, peer, row, is_disturbed):
        self.disturbed += is_disturbed
        self.rows.setdefault((cell.work, peer.name), []).append(row)

    def failed(self, cell, peer, why):
        self.failures.append((cell.work, peer.name, why))

    def newest(self, cell, peer):
        rows = self.rows.get((cell.work, peer.name))
        return f"{figure(rows[-1]['value'], cell.unit)} (others {rows[-1]['foreign']:.2f} cores)" if rows else "failed"

    def median(self, work, server, of="value"):
        figures = [row[of] for row in self.rows.get((work, server), []) if row.get(of) is not None]
        return statistics.median(figures) if figures else None

    def spread(self, work, server):
        values = [row["value"] for row in self.rows[(work, server)]]
        middle = statistics.median(values)
        return (max(values) - min(values)) / middle if middle else 0.0

    def figure_for(self, goal, work):
        own = self.median(work, goal.ours, goal.of)
        if goal.peer == ABSOLUTE or own is None:
            return own
        other = self.beside(goal, work)
        return own / other if other else None

    def beside(self, goal, work):
        if goal.peer == BASE:
            return self.median(self.cells[work].base, goal.ours, goal.of)
        return self.median(work, goal.peer, goal.of)

    def verdicts(self):
        return [Verdict(goal, work, self.figure_for(goal, work))
                for goal in GOALS for work in self.cells if goal.is_for(work, goal.ours)]

    # ---- text
    def lines(self):
        return [*HEAD, *(self.line(work, server) for work, cell in self.cells.items()
                         for server in (peer.name for peer in cell.peers) if (work, server) in self.rows)]

    def line(self, work, server):
        def shown(of, digits):
            found = self.median(work, server, of)
            return "" if found is None else f"{found:.{digits}f}"
        value = figure(self.median(work, server), self.cells[work].unit)
        return (f"| {work} | {server} | {value} | {self.spread(work, server):.0%} | {shown('p50', 2)} | {shown('p99', 2)} | {shown('cpu', 1)} "
                f"| {shown('memory', 0)} | {shown('growth', 1)} | {self.ratios(work, server)} |")

    def ratios(self, work, server):
        """Of flowstore's row: each goal with its figure, and the ratios to everybody else."""
        cell, goals = self.cells[work], goals_for(work, server)
        words = [self.goal_words(Verdict(goal, work, self.figure_for(goal, work))) for goal in goals]
        if server.startswith(FLOWSTORE):
            told = {goal.peer for goal in goals if goal.of == "value"}
            others = [peer.name for peer in cell.peers if not peer.name.startswith(FLOWSTORE) and peer.name not in told]
            words += [ratio_words(self.median(work, server), self.median(work, other), other) for other in others]
        if cell.base and not goals:
            words += [ratio_words(self.median(work, server, of), self.median(cell.base, server, of), f"{name}{cell.base}")
                      for of, name in (("value", ""), ("p99", "p99 of "))]
        return "; ".join(filter(None, words))

    @staticmethod
    def goal_words(verdict):
        if verdict.figure is None:
            return ""
        return f"{verdict.figure:.3g} {verdict.against()} ({verdict.goal.text()}: {verdict.word()})"

    def remarks(self):
        text = f"Disturbed by others: {self.thrown_away} measurements thrown away and repeated"
        text += f", {self.disturbed} kept although they were disturbed each time." if self.disturbed else "."
        return [text, "", *(f"- failed: {work}, {server}: {why}" for work, server, why in self.failures)]

    def measured(self):
        return sum(map(len, self.rows.values()))


def ratio_words(own, other, name):
    return f"{own / other:.3g} {name}" if own and other else ""


def figure(value, unit):
    text = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    return f"{text}{unit}" if unit.startswith("/") else f"{text} {unit}"


def goals_table(all_results, is_whole=True):
    """Every goal of the works that were measured, with its figure; of a whole run also the goals that no work was for."""
    verdicts = [verdict for results in all_results for verdict in results.verdicts()]
    if is_whole:
        verdicts += [Verdict(goal, goal.work, None) for goal in GOALS if all(verdict.goal != goal for verdict in verdicts)]
    counts = {word: sum(verdict.word() == word for verdict in verdicts) for word in ("met", "**missed**", "not measured")}
    disturbed, measured = sum(results.disturbed for results in all_results), sum(results.measured() for results in all_results)
    warning = f" {disturbed} of {measured} measurements were disturbed by others: trust no verdict." if disturbed else ""
    lines = [f"{counts['met']} met, {counts['**missed**']} missed, {counts['not measured']} not measured.{warning}", "",
             "| work | server | against | goal | measured | |", "|---|---|---|---:|---:|---|"]
    for verdict in verdicts:
        measured = "" if verdict.figure is None else f"{verdict.figure:.3g}"
        lines.append(f"| {verdict.work} | {verdict.goal.ours} | {verdict.against()} | {verdict.goal.text()} | {measured} | {verdict.word()} |")
    return lines
