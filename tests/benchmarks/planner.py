"""How fast the planner is, in one run: `python -m tests.benchmarks.planner [--quick] [--picture FILE.svg]`.

The data set: 20 practitioners, 18 rooms, 6 devices, 250 working days, about 49,500 bookings (70 % full). Typical: 6
sessions of 45 minutes, gaps 28 to 42 days, ideal 35, 12 qualified practitioners, a room and a device each, three
weekdays, half a day. Wide: every practitioner, weekday and hour. Compared in the same run with a constraint solver,
with what staff do and with a straightforward search (`peers.py`), and with the read of the diary (`diary.py`).
Processor time is counted where nothing waits for another process, since machines are shared. Medians are printed with
the least in brackets; each target of ours stands beside its figure.
"""
from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from math import log
from pathlib import Path
from random import Random
from statistics import median

from clinic.planning import (
    Gap,
    Hours,
    Kind,
    Need,
    Problem,
    Resource,
    Ruler,
    Step,
    busy_bits,
    choices,
    opening_bits,
    plan,
    ruler,
    starts,
)
from clinic.planning.board import Board
from clinic.planning.local import zone
from tests.benchmarks.peers import by_solver, day_by_day, one_by_one, slot_by_slot

FIRST_ON = date(2027, 3, 1)
OPENS, CLOSES = 9 * 60, 18 * 60
DAY = timedelta(days=1)
WORKING = frozenset(range(5))
GAP = Gap(28, 35, 42)
STAY = 45


@dataclass(frozen=True)
class Diary:
    """A clinic's bookings, as spans of minutes for each resource and day, and as the planner's resources."""

    on: Ruler
    resources: tuple[Resource, ...]
    spans: dict[str, dict[int, list[tuple[int, int]]]]

    @property
    def bookings(self) -> int:
        return sum(len(each) for days in self.spans.values() for each in days.values())


def diary(months: int = 12, practitioners: int = 20) -> Diary:
    """The data set, or one of another size with rooms and devices in proportion."""
    random = Random(20270301)
    days = months * 365 // 12
    on = ruler(zone("Europe/London"), FIRST_ON, days)
    opened = opening_bits(on, (Hours(WORKING, OPENS, CLOSES),))
    resources, spans = [], {}
    for kind, count in (
        (Kind.PRACTITIONER, practitioners), (Kind.ROOM, practitioners * 9 // 10),
        (Kind.DEVICE, practitioners * 3 // 10),
    ):
        for at in range(count):
            name = f"{kind.value}-{at}"
            skills = frozenset({"laser"} if kind is Kind.PRACTITIONER and at % 5 < 3 else ())
            spans[name] = {day: _bookings(random) for day in range(days) if _is_working(day)}
            taken = busy_bits(on, (
                (_instant(day, begins), _instant(day, ends))
                for day, each in spans[name].items() for begins, ends in each
            ))
            resources.append(Resource(name, kind, skills, opened, taken))
    return Diary(on, tuple(resources), spans)


def _bookings(random: Random) -> list[tuple[int, int]]:
    """A day about 70 % full."""
    found, minute = [], OPENS
    while minute < CLOSES:
        length = random.choice((45, 60, 90, 120))
        if minute + length <= CLOSES and random.random() < 0.65:
            found.append((minute, minute + length))
        minute += length
    return found


def _is_working(day: int) -> bool:
    return (FIRST_ON + day * DAY).weekday() in WORKING


def _instant(day: int, minute: int) -> datetime:
    on = FIRST_ON + day * DAY
    return datetime(on.year, on.month, on.day, minute // 60, minute % 60, tzinfo=zone("Europe/London")).astimezone(UTC)


def request(on: Diary, *, typical: bool, sessions: int = 6) -> Problem:
    """The course to be placed."""
    skills = frozenset({"laser"}) if typical else frozenset()
    needs = (Need(Kind.PRACTITIONER, STAY, skills), Need(Kind.ROOM, STAY), Need(Kind.DEVICE, STAY))
    first = Step("laser", STAY, needs)
    problem = Problem(
        on.on, datetime(2027, 3, 1, 9, tzinfo=UTC), on.resources,
        (first, *[replace(first, gap=GAP)] * (sessions - 1)),
    )
    if not typical:
        return problem
    mornings = opening_bits(on.on, (Hours(frozenset({0, 2, 4}), OPENS, OPENS + 270),))
    return replace(problem, patient_busy=on.on.full & ~mornings)


@dataclass(frozen=True)
class Took:
    """The milliseconds of some runs."""

    median: float
    least: float


def milliseconds(work: Callable[[], object], times: int) -> Took:
    """The median and the least of some runs, after one that is not counted."""
    work()
    found = []
    for _ in range(times):
        began = time.process_time()
        work()
        found.append((time.process_time() - began) * 1000)
    return Took(median(found), min(found))


class Report:
    """Lines of figures, each with its target."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def section(self, name: str) -> None:
        """A heading."""
        sys.stdout.write(f"\n{name}\n")

    def took(self, what: str, took: Took, most: float | None = None) -> None:
        """A time; its target is met if the least run meets it, as all that slows a run down is other people's work."""
        line = f"  {what:<58}{took.median:>10.2f} ms  ({took.least:.2f})"
        self._say(line, what, "" if most is None else f"at most {most:g} ms", most is None or took.least <= most)

    def ratio(self, what: str, ratio: float, *, least: float | None = None, most: float | None = None) -> None:
        """How many times one figure is another."""
        met = (least is None or ratio >= least) and (most is None or ratio <= most)
        target = f"at least {least:g}" if least is not None else f"at most {most:g}" if most is not None else ""
        self._say(f"  {what:<58}{ratio:>10.2f} x", what, target, met)

    def _say(self, line: str, what: str, target: str, met: bool) -> None:
        if not met:
            self.missed.append(what)
        sys.stdout.write(f"{line:<88}{f'{target}: ' + ('met' if met else 'MISSED') if target else ''}".rstrip() + "\n")


def whole_courses(report: Report, on: Diary, times: int, solver_seconds: float) -> None:
    """Whole courses, beside what else one could do."""
    for name, most, ratio in (("typical", 1.2, 200.0), ("wide", None, 700.0)):
        typical = name == "typical"
        report.section(f"{name}: 6 sessions")
        problem = request(on, typical=typical)
        cost = plan(problem).plans[0].cost
        base = milliseconds(lambda problem=problem: plan(problem), times)  # type: ignore[misc]
        report.took("the whole course, proven", base, most)
        for what, work in (
            ("every start of session 3 that leaves a plan", lambda problem=problem: starts(problem, 3)),  # type: ignore[misc]
            ("three choices", lambda problem=problem: choices(problem)),  # type: ignore[misc]
        ):
            took = milliseconds(work, times)
            report.took(what, took)
            report.ratio("  against the course", took.median / base.median)
        began = time.process_time()
        greedy = one_by_one(on, typical=typical)
        report.took("slot by slot, session by session as staff do", once(began))
        told = "a dead end" if greedy is None else f"costs {greedy} points"
        sys.stdout.write(f"    which {told} where {cost} is the least\n")
        began = time.process_time()
        cells = slot_by_slot(on, typical=typical)
        assert day_by_day(cells) == cost
        took = once(began)
        report.took("slot by slot, every day and practitioner, then the best", took)
        report.ratio("  against the course", took.median / base.median)
        found, proven, solving, building = by_solver(cells, solver_seconds)
        assert not proven or found == cost
        said = f"CP-SAT{'' if proven else ', not proven'}, its free starts given"
        report.took(said, Took(solving * 1000, solving * 1000))
        report.took("  and building its model", Took(building * 1000, building * 1000))
        report.ratio("  against the course", solving * 1000 / base.median, least=ratio)


def once(began: float) -> Took:
    """The milliseconds since then, of one run."""
    took = (time.process_time() - began) * 1000
    return Took(took, took)


def free_starts(problem: Problem) -> list[tuple[int, int, int]]:
    """Day, practitioner and free starts, of every day that the problem's ruler has."""
    board = Board(problem)
    return [
        (day, leader, found) for day in range(problem.ruler.days)
        for leader, found in board.led_on(board.stages[0], day)
    ]


def free_days(report: Report, on: Diary, times: int) -> None:
    """The free starts of a day, and of six weeks, of 20 practitioners with a room and a device each."""
    report.section("free starts of 20 practitioners with rooms and devices, from memory")
    for days, most in ((1, 0.2), (42, 0.7)):
        small = ruler(on.on.zone, on.on.first_on, days)
        since, kept = on.on.spans[1].low - small.spans[1].low, small.full
        resources = tuple(
            replace(each, open=each.open >> since & kept, busy=each.busy >> since & kept) for each in on.resources)
        problem = replace(request(on, typical=False, sessions=1), ruler=small, resources=resources)
        expected = {
            (day, name) for day, names in slot_by_slot(on, typical=False).items() if day < days for name in names}
        assert {(day, resources[at].id) for day, at, _ in free_starts(problem)} == expected
        report.took(f"{days} day{'s' if days > 1 else ''}", milliseconds(
            lambda problem=problem: free_starts(problem), times * 3), most)  # type: ignore[misc]


def growth(report: Report, times: int) -> dict[str, list[tuple[int, float]]]:
    """How the search grows with the horizon, the clinic and the course: an exponent of 1 is linear."""
    found: dict[str, list[tuple[int, float]]] = {}
    for what, sizes in (
        ("months", (6, 12, 24, 36)), ("practitioners", (5, 10, 20, 40, 80)), ("sessions", (2, 4, 6, 10, 20)),
    ):
        report.section(f"growth in {what}, wide")
        for size in sizes:
            on = diary(**{what: size}) if what != "sessions" else diary(24)
            problem = request(on, typical=False, sessions=size if what == "sessions" else 4)
            took = milliseconds(lambda problem=problem: plan(problem), times)  # type: ignore[misc]
            found.setdefault(what, []).append((size, took.least))
            report.took(f"{size} {what}", took)
        report.ratio(f"exponent in {what}", exponent(found[what]), most=1.1)
    return found


def exponent(points: list[tuple[int, float]]) -> float:
    """The slope of a straight line through the logarithms: time grows as size to this power."""
    xs, ys = [log(size) for size, _ in points], [log(took) for _, took in points]
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / sum(
        (x - middle_x) ** 2 for x in xs)


def picture(found: dict[str, list[tuple[int, float]]]) -> str:
    """The growth as a drawing: both axes logarithmic, with a dashed line for what is linear."""
    panels = []
    for at, (what, points) in enumerate(found.items()):
        xs, ys = [log(size) for size, _ in points], [log(took) for _, took in points]
        wide, low = xs[-1] - xs[0], min(ys)
        high = max(*ys, ys[0] + wide)
        spots = [
            (60 + 180 * (x - xs[0]) / wide, 200 - 160 * (y - low) / (high - low)) for x, y in zip(xs, ys, strict=True)
        ]
        linear = 200 - 160 * (ys[0] + wide - low) / (high - low)
        begins = spots[0][1]
        labels = "".join(
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3"/><text x="{x:.0f}" y="{y - 8:.0f}">{took:.1f}</text>'
            f'<text x="{x:.0f}" y="222">{size}</text>'
            for (x, y), (size, took) in zip(spots, points, strict=True))
        line = " ".join(f"{x:.0f},{y:.0f}" for x, y in spots)
        panels.append(
            f'<g transform="translate({at * 260} 0)"><text x="150" y="20">ms by {what}</text>'
            f'<line x1="60" y1="{begins:.0f}" x2="240" y2="{linear:.0f}" stroke="grey" stroke-dasharray="4"/>'
            f'<polyline points="{line}" fill="none" stroke="black"/>{labels}</g>')
    style = "<style>text{font:11px sans-serif;text-anchor:middle}</style>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 240">{style}{"".join(panels)}</svg>\n'


def reading(report: Report) -> None:
    """The read of the diary on both databases; wall-clock time, as a database may be another process."""
    from tests.benchmarks.diary import figures, postgresql_url, sqlite_url

    for name, address, most in (("SQLite", sqlite_url, 3.0), ("PostgreSQL", postgresql_url, 6.0)):
        report.section(f"from the database, nothing cached: {name}")
        try:
            with address() as url:
                found = figures(url)
        except FileNotFoundError as missing:
            sys.stdout.write(f"  not measured: {missing}\n")
            continue
        for what in ("scan", "read typical", "search typical", "read wide", "search wide", "book", "bare commit"):
            report.took(what, Took(found[what], found[what]))
        whole = found["read typical"] + found["search typical"]
        report.ratio("read and search, against the search", whole / found["search typical"], most=most)
        scanned = found["scan"] + found["search typical"]
        report.ratio("  against a bare range scan and the search", whole / scanned, most=1)
        report.ratio("a bare commit, against booking the course", found["bare commit"] / found["book"],
                     least=0.5 if name == "SQLite" else 0.35)


def repairing(report: Report) -> None:
    """A course of 12 sessions put right, from memory."""
    from tests.benchmarks.repair import TARGET, repair_figures

    report.section("putting a course of 12 sessions right, from memory")
    for name, took in repair_figures().items():
        report.took(name, Took(took, took), TARGET)


def main(words: list[str]) -> None:
    """Measure and report."""
    quick = "--quick" in words
    times, report, on = 15 if quick else 101, Report(), diary()
    sys.stdout.write(f"{on.bookings} bookings of {len(on.resources)} resources\n")
    whole_courses(report, on, times, 20 if quick else 600)
    free_days(report, on, times)
    found = growth(report, max(times // 3, 9))
    if "--picture" in words:
        Path(words[words.index("--picture") + 1]).write_text(picture(found))
    repairing(report)
    if not quick:
        reading(report)
    sys.stdout.write(f"\nmissed: {', '.join(report.missed) or 'nothing'}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
