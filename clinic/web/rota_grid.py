"""The grid of a rota's form: rows of hours by week and weekday, kept as typed while rows and weeks come and go."""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass

from clinic.care.rotas import MOST_SPANS, MOST_WEEKS, DaySpan, RotaWeeks, WeekSpan
from clinic.planning.findings import Finding
from clinic.web.forms import Form
from clinic.web.people_form import read_hours
from clinic.web.words import clock

BREAK = "break"
_NAME = re.compile(r"w(\d)-d([0-6])-r(\d{1,2})-(what|from|to|minutes)", re.ASCII)
_DAY = re.compile(r"w\d-d\d", re.ASCII)
_DEED = re.compile(r"(add|rest|drop|copy-day|copy-week|weeks)(?::(\d))?(?::([0-6]))?(?::(\d{1,2}))?", re.ASCII)


@dataclass(slots=True)
class Line:
    """A row of a day as typed: a clinic's id or a break, from, to, and how many minutes a break takes."""

    what: str = ""
    opens: str = ""
    closes: str = ""
    minutes: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed into it."""
        return not (self.opens or self.closes or self.minutes)


class Grid:
    """Weeks of seven days of rows."""

    def __init__(self, weeks: list[list[list[Line]]]) -> None:
        self.weeks = weeks

    @classmethod
    def empty(cls, weeks: int = 1) -> Grid:
        """Without any hours."""
        return cls([[[] for _ in range(7)] for _ in range(weeks)])

    @classmethod
    def typed(cls, fields: Mapping[str, str]) -> Grid:
        """What a form sent, its rows in their order."""
        grid = cls.empty(_number(fields.get("grid_weeks", "")))
        rows: dict[tuple[int, int, int], Line] = {}
        for name, value in fields.items():
            found = _NAME.fullmatch(name)
            if found and int(found[1]) < len(grid.weeks) and int(found[3]) < MOST_SPANS:
                line = rows.setdefault((int(found[1]), int(found[2]), int(found[3])), Line())
                setattr(line, {"from": "opens", "to": "closes"}.get(found[4], found[4]), value.strip()[:20])
        for (week, day, _), line in sorted(rows.items()):
            grid.weeks[week][day].append(line)
        return grid

    @classmethod
    def of(cls, spans: Iterable[WeekSpan], weeks: int = 1) -> Grid:
        """Of a rota that is kept."""
        grid = cls.empty(weeks)
        for each in spans:
            span = each.span
            grid.weeks[each.week][each.weekday].append(Line(
                BREAK if span.is_break else str(span.clinic_id), clock(span.opens), _until(span.closes),
                str(span.break_minutes or "")))
        return grid

    def fields(self) -> dict[str, str]:
        """Every field by its name, as the page shows it."""
        found = {"grid_weeks": str(len(self.weeks))}
        for name, line in self.lines():
            found |= {f"{name}-what": line.what, f"{name}-from": line.opens, f"{name}-to": line.closes,
                      f"{name}-minutes": line.minutes}
        return found

    def lines(self) -> Iterable[tuple[str, Line]]:
        """Every row with its name."""
        for week, days in enumerate(self.weeks):
            for day, lines in enumerate(days):
                for place, line in enumerate(lines):
                    yield f"w{week}-d{day}-r{place}", line

    def do(self, deed: str, *, clinic_id: int, weeks: int) -> str:
        """Does what a button of the grid says; the name of the row that is new, if one is."""
        found = _DEED.fullmatch(deed)
        if found is None:
            return ""
        week, day, place = (int(each) if each else 0 for each in found.groups()[1:])
        if found[1] == "weeks":
            self.resize(weeks)
        elif week < len(self.weeks):
            if found[1] == "copy-week":
                self.weeks = [deepcopy(self.weeks[week]) for _ in self.weeks]
            elif found[1] == "copy-day":
                self.weeks[week][1:5] = [deepcopy(self.weeks[week][0]) for _ in range(4)]
            else:
                return self._changed(found[1], week, day, place, clinic_id)
        return ""

    def resize(self, weeks: int) -> None:
        """More weeks begin as the last one is; fewer lose the last ones."""
        while len(self.weeks) < weeks:
            self.weeks.append(deepcopy(self.weeks[-1]))
        del self.weeks[weeks:]

    def _changed(self, deed: str, week: int, day: int, place: int, clinic_id: int) -> str:
        lines = self.weeks[week][day]
        if deed == "drop":
            del lines[place:place + 1]
            return ""
        if len(lines) >= MOST_SPANS:
            return ""
        usual = Line(str(clinic_id), "09:00", "18:00") if not lines else Line(str(clinic_id))
        lines.append(Line(BREAK, "12:00", "14:00", "30") if deed == "rest" else usual)
        return f"w{week}-d{day}-r{len(lines) - 1}"


def read_spans(form: Form, grid: Grid, clinics: Iterable[int]) -> tuple[WeekSpan, ...]:
    """The spans that the rows say; faults stay with the form, rows without anything count for nothing."""
    known = [str(ident) for ident in clinics]
    found = []
    for name, line in grid.lines():
        if line.is_empty:
            continue
        what = form.one_of(f"{name}-what", "Where, or a break", [*known, BREAK])
        span = read_hours(form, f"{name}-from", f"{name}-to")
        minutes = form.number(f"{name}-minutes", "The minutes of the break", least=5, most=1440, required=False)
        week, day, _ = (int(part[1:]) for part in name.split("-"))
        if what == BREAK:
            rest = DaySpan(span.opens, span.closes, None, minutes or span.closes - span.opens)
            found.append(WeekSpan(week, day, rest))
        elif what:
            found.append(WeekSpan(week, day, DaySpan(span.opens, span.closes, int(what))))
    return tuple(found)


def rota_of(form: Form, grid: Grid, clinics: Iterable[int]) -> RotaWeeks | None:
    """The rota that was typed; none where the form has faults."""
    spans = read_spans(form, grid, clinics)
    starts_on = form.date("starts_on", "The first Monday")
    ends_on = form.date("ends_on", "The last day", required=False)
    if starts_on is None or form.faults:
        return None
    return RotaWeeks(starts_on, spans, len(grid.weeks), ends_on)


def place_findings(form: Form, findings: Iterable[Finding]) -> None:
    """Puts what is wrong at its field or at its day, and the rest at the top of the form."""
    for finding in findings:
        if _DAY.fullmatch(finding.field or ""):
            form.fault(finding.field or "", finding.text)
        else:
            form.add([finding])


def _until(closes: int) -> str:
    return clock(closes % 1440)


def _number(given: str) -> int:
    return min(max(int(given), 1), MOST_WEEKS) if given.isascii() and given.isdigit() and len(given) < 3 else 1
