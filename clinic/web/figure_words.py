"""Figures in words: a cell, a change, and what a section found, in a sentence."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from operator import itemgetter

from clinic.care.figures.counted import Column
from clinic.care.figures.definitions import COLUMNS
from clinic.care.figures.going_on import steepest
from clinic.care.figures.months import Month, Months
from clinic.care.figures.post import Fate, Post
from clinic.care.figures.shares import Cell, Count, Middle, Share, differ
from clinic.care.figures.tables import By, Key, Table, TableRow
from clinic.care.figures.use import Supply, Used
from clinic.care.parts import DEVICE_TYPES, QUALIFICATIONS, ROOM_FEATURES, ResourceKind
from clinic.planning.words import MONTHS
from clinic.queries.figures import Figures
from clinic.web.course_words import CAUSES
from clinic.web.words import plural, short_day

TOO_FEW = "too few"
NOTHING = "–"
"""Where there is nothing to count."""
OTHER_CAUSES = "Others, too few of each"
BY = {By.MONTH: "Month", By.PROTOCOL: "Protocol", By.PRACTITIONER: "Practitioner", By.CLINIC: "Clinic"}
KINDS = {ResourceKind.PRACTITIONER: "Practitioners", ResourceKind.ROOM: "Rooms", ResourceKind.DEVICE: "Devices"}
_SKILLS: Mapping[ResourceKind, Mapping[str, str]] = {
    ResourceKind.PRACTITIONER: QUALIFICATIONS, ResourceKind.ROOM: ROOM_FEATURES, ResourceKind.DEVICE: DEVICE_TYPES}
FATES = {
    Fate.SENT: "Taken by the mail server", Fate.TOLD: "Told or printed by a person instead",
    Fate.FAILED: "Failed, or came back", Fate.UNCERTAIN: "Uncertain: the answer was lost",
    Fate.EXPIRED: "Not sent in time", Fate.WITHHELD: "Not for e-mail: the patient’s wish, or no address",
    Fate.NOT_NEEDED: "Overtaken by what happened, or skipped",
}


def heads(first: str) -> list[str | tuple[str, str]]:
    """The heads of the columns of figures side by side."""
    return [first, *((definition.name, "number") for definition in COLUMNS.values())]


def month_words(month: Month) -> str:
    """Such as "March 2027"."""
    return f"{MONTHS[month.number - 1]} {month.year}"


def labels_of_month(key: Key) -> str:
    """Such as "Mar", as it stands below a column."""
    return MONTHS[key.number - 1][:3] if isinstance(key, Month) else ""


def months_words(months: Months) -> str:
    """Such as "January to March 2027"."""
    first, last = months.first, months.last
    if first == last:
        return month_words(first)
    begins = MONTHS[first.number - 1] if first.year == last.year else month_words(first)
    return f"{begins} to {month_words(last)}"


def percent(value: float) -> str:
    """A share as it is read: whole, but never nothing or all where it is not."""
    if 0 < value < 0.5:
        return "under 1 %"
    if 99.5 <= value < 100:
        return "over 99 %"
    return f"{value:.0f} %"


def days(value: float, *, signed: bool = False) -> str:
    """Such as "98 days", or how far from the ideal date: "+1.5 days"."""
    number = f"{value:+g}" if signed and value else f"{value:g}"
    unit = "day" if abs(value) == 1 else "days"
    return f"{number} {unit}".replace("-", "\N{MINUS SIGN}")


def cell_words(column: Column, cell: Cell | None) -> str:
    """A cell; of one that is left out, that it is."""
    if isinstance(cell, Count):
        return f"{cell.number:,}"
    if isinstance(cell, Share):
        return percent(cell.percent)
    if isinstance(cell, Middle):
        return days(cell.median, signed=column == Column.DRIFT)
    return TOO_FEW


def total_words(found: Figures, column: Column) -> str:
    """A figure of all together; one about nobody is not called too few."""
    return NOTHING if column in found.tables[By.MONTH].nothing else cell_words(column, found.total.get(column))


MOST_ROOMY = 6
"""So many columns side by side have room for "over 99 %" on a phone; of more, each has room for three letters."""


def over_columns(columns: int) -> Callable[[float], str]:
    """How shares are written above so many columns."""
    return percent if columns <= MOST_ROOMY else lambda value: _bare(percent(value))


def counts_over_columns(columns: int) -> Callable[[float], str]:
    """How numbers are written above so many columns: "1,204", or "1.2k" where there is little room."""
    return lambda number: (f"{number:,.0f}" if columns <= MOST_ROOMY or number < 1000 else
                           f"{number / 1000:.1f}k" if number < 9950 else f"{number / 1000:.0f}k")


def _bare(words: str) -> str:
    return words.removesuffix(" %").replace("under ", "<").replace("over ", ">")


def post_words(post: Post) -> str:
    """How many messages got through, in percent."""
    return percent(post.percent) if post.percent is not None else TOO_FEW if post.patients else NOTHING


def of_words(cell: Cell | None) -> str:
    """Of how many a figure is, such as "of 214"."""
    if isinstance(cell, Share):
        return f"{cell.part:,} of {cell.whole:,}"
    if isinstance(cell, Middle):
        return f"of {cell.count:,}; half lie between {cell.low:g} and {cell.high:g}".replace("-", "\N{MINUS SIGN}")
    return ""


def before_words(column: Column, now: Cell | None, before: Cell | None) -> str:
    """How it was in the months before, and whether that differs by more than chance."""
    if before is None or now is None:
        return ""
    words = f"Before: {cell_words(column, before)}"
    if isinstance(now, Share) and isinstance(before, Share) and now.percent != before.percent:
        return words if differ(now, before) else f"{words}; that may be chance"
    return words


def cause_words(cause: str) -> str:
    """A cause as staff read it."""
    return CAUSES.get(cause, cause)


def supply_words(supply: Supply) -> str:
    """Somebody or something that sessions need."""
    names = _SKILLS[supply.kind]
    skills = ", ".join(names.get(code, code) for code in supply.code.split("+") if code)
    if supply.kind is ResourceKind.DEVICE:
        return skills or "Any device"
    noun = KINDS[supply.kind]
    return f"{noun}: {skills}" if skills else noun


def hours_words(minutes: int) -> str:
    """Such as "12.5"."""
    return f"{minutes / 60:,.1f}"


def window_finding(found: Figures) -> str:
    """How the sessions lay in their windows."""
    share = found.total.get(Column.IN_WINDOW)
    if not isinstance(share, Share):
        return "Too few sessions with a window to say anything."
    rest = [words for number, words in ((found.placing.too_early, "too early"), (found.placing.too_late, "too late"))
            for words in ([f"{number:,} {words}"] if number else [])]
    outside = f" {' and '.join(rest)}." if rest else ""
    return f"{share.part:,} of {share.whole:,} sessions lay in their window.{outside}"


def course_finding(found: Figures) -> str:
    """Where the most stop."""
    worst = steepest(found.steps)
    if worst is None:
        return "Nobody stopped." if found.steps else "Too few patients to say where they stop."
    return (f"The most stop after session {worst.after}: {worst.stopped:,} of the {worst.went_on + worst.stopped:,} "
            f"who were to have the next one ({percent(worst.percent)}).")


def visit_finding(found: Figures) -> str:
    """How much was missed."""
    missed, late = found.total.get(Column.NO_SHOW), found.total.get(Column.LATE)
    if not (isinstance(missed, Share) and isinstance(late, Share)):
        return "Too few visits to say anything."
    told = (f"Of {missed.whole:,} visits whose time was kept, {missed.part:,} "
            f"{'was' if missed.part == 1 else 'were'} missed and {late.part:,} cancelled late.")
    if found.open_visits:
        told += f" {plural(found.open_visits, 'visit is', 'visits are')} past and not closed, and not counted yet."
    return told


def use_finding(used: tuple[Used, ...]) -> str:
    """Who and what is used most."""
    parts = []
    for kind in ResourceKind:
        known = [(part, each.name) for each in used if each.kind is kind and (part := each.total.percent) is not None]
        most, name = max(known, default=(0.0, ""))
        if most:
            parts.append(f"{name} ({percent(most)})")
    return f"Used the most: {', '.join(parts)}." if parts else "Nobody and nothing was used in these months."


def coming_finding(supplies: tuple[Supply, ...]) -> str:
    """What is full first."""
    full = sorted(((week.from_on, supply) for supply in supplies if (week := supply.full_from)), key=itemgetter(0))
    if not supplies:
        return "No session waits for a date in the coming 12 weeks."
    if not full:
        return "All that is owed in the coming 12 weeks finds hours."
    first_on, supply = full[0]
    more = f" {plural(len(full) - 1, 'other follows', 'others follow')}." if len(full) > 1 else ""
    return f"{supply_words(supply)} will be full in the week of {_week(first_on)}.{more}"


def post_finding(post: Post) -> str:
    """How many messages got through."""
    if not post.patients:
        return "No message came to rest in these months."
    if post.percent is None:
        return "Too few messages to say anything."
    share = percent(post.percent)
    return f"{share[0].upper()}{share[1:]} of {post.wanted:,} messages reached the mail server."


def _week(from_on: date) -> str:
    return short_day(from_on)


class Labels:
    """What the rows of tables are called, and the hours of notice that the clinics shown ask for, by their names."""

    def __init__(
        self, protocols: Mapping[int, str], practitioners: Mapping[int, str], clinics: Mapping[int, str],
        notice: Mapping[str, int],
    ) -> None:
        self.notice = notice
        self._names: dict[By, Mapping[int, str]] = {
            By.PROTOCOL: protocols, By.PRACTITIONER: practitioners, By.CLINIC: clinics}

    def of(self, by: By, key: Key) -> str:
        """The name of a row; of what is not known, that it is not."""
        if isinstance(key, Month):
            return month_words(key)
        if key is None:
            return "No protocol" if by is By.PROTOCOL else "Not known"
        return self._names[by].get(key, "Not known")

    def sorted(self, table: Table) -> list[tuple[str, TableRow]]:
        """The rows with their names: months in their order, all others by name, what is not known last."""
        named = [(self.of(table.by, row.key), row) for row in table.rows]
        if table.by is By.MONTH:
            return sorted(named, key=lambda each: each[1].key)  # type: ignore[arg-type, return-value] # all are months
        return sorted(named, key=lambda each: (each[1].key is None, each[0].casefold()))
