"""The page of figures: what happened in some months beside as many before, and what the coming weeks hold."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.figures.counted import Column, Happened, Placing, counted, placing
from clinic.care.figures.going_on import Step, steps
from clinic.care.figures.happened import DROPPED, End
from clinic.care.figures.months import Month, Months
from clinic.care.figures.post import Post, Settled, post_of
from clinic.care.figures.shares import Cell
from clinic.care.figures.tables import By, Causes, Table, causes, notices, table, visible
from clinic.care.figures.use import Hours, Supply, Used, together
from clinic.care.parts import ResourceKind
from clinic.planning.local import day_of
from clinic.queries.figures_hours import WEEKS_AHEAD, HoursOf, coming, used
from clinic.queries.figures_post import settled
from clinic.queries.figures_rows import Asked, happened
from clinic.store.protocols import Protocol
from clinic.store.resources import Practitioner


@dataclass(frozen=True, slots=True)
class Why:
    """The causes of what went otherwise than planned."""

    no_shows: Causes
    late: Causes
    notices: Causes
    not_treated: Causes
    stopped: Causes


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything of the page. `before` is of as many months directly before; `open_visits` are past and not closed.

    `is_blank`: nothing happened in either, and no session waits for a date.
    """

    months: Months
    total: Mapping[Column, Cell]
    before: Mapping[Column, Cell]
    tables: Mapping[By, Table]
    placing: Placing
    steps: tuple[Step, ...]
    why: Why
    open_visits: int
    is_blank: bool
    used: tuple[Used, ...]
    hours: Mapping[ResourceKind, Hours]
    hours_before: Mapping[ResourceKind, Hours]
    coming: tuple[Supply, ...]
    post: Post
    post_before: Post
    post_by_month: Mapping[Month, Post]


@dataclass(frozen=True, slots=True)
class Names:
    """The protocols and the practitioners that there are, by name."""

    protocols: tuple[tuple[int, str], ...]
    practitioners: tuple[tuple[int, str], ...]


def figures_of(db: Session, asked: Asked, *, ahead_at: int) -> Figures:
    """The figures that were asked for, and the coming weeks of one clinic; in ten statements at most."""
    both = replace(asked, months=Months(asked.months.before.first, asked.months.last))
    rows, post = happened(db, both), settled(db, both)
    now, before = _within(rows, asked.months), _within(rows, asked.months.before)
    total = counted(now)
    today = min(day_of(asked.now, where) for where in asked.clinics.values())
    ahead = today + timedelta(weeks=WEEKS_AHEAD + 1)
    hours = HoursOf(db, both, min(both.months.from_on, today - timedelta(weeks=1)), max(both.months.until_on, ahead))
    use, supply = used(hours, both), coming(db, hours, both, ahead_at)
    return Figures(
        months=asked.months, total=visible(total), before=visible(counted(before)),
        tables=_tables(now, asked, total), placing=placing(now.given),
        steps=steps(now.given, now.ended), why=_why(now),
        open_visits=sum(each.end is End.OPEN for each in now.visits),
        is_blank=not (rows.given or rows.visits or rows.ended or post or supply),
        used=tuple(_in(asked.months, use)), hours=_hours(use, asked.months),
        hours_before=_hours(use, asked.months.before), coming=supply,
        post=post_of(_posted(post, asked.months)), post_before=post_of(_posted(post, asked.months.before)),
        post_by_month={month: post_of(_posted(post, Months(month, month))) for month in asked.months})


def _tables(now: Happened, asked: Asked, total: Mapping[Column, Cell]) -> Mapping[By, Table]:
    """The figures by each thing; where there is one clinic alone, it is all together."""
    tables = {by: table(now, by, asked.months, total) for by in By if by is not By.CLINIC or len(asked.clinics) > 1}
    return {By.CLINIC: Table(By.CLINIC, (), visible(total)), **tables}


def names_of(db: Session) -> Names:
    """What figures can be asked for, in two statements."""
    person = Practitioner.__table__
    protocols = db.execute(sa.select(Protocol.id, Protocol.name).order_by(Protocol.name))
    people = db.execute(sa.select(person.c.id, person.c.name).order_by(person.c.name))
    return Names(tuple((row.id, row.name) for row in protocols), tuple((row.id, row.name) for row in people))


def _within(rows: Happened, months: Months) -> Happened:
    wanted = frozenset(months)
    return Happened([each for each in rows.given if each.month in wanted],
                    [each for each in rows.visits if each.month in wanted],
                    [each for each in rows.ended if each.month in wanted])


def _why(rows: Happened) -> Why:
    return Why(
        no_shows=causes(rows.visits, {End.NO_SHOW}), late=causes(rows.visits, {End.LATE}),
        notices=notices(rows.visits), not_treated=causes(rows.visits, {End.NOT_TREATED}),
        stopped=causes(rows.ended, DROPPED))


def _in(months: Months, use: Iterable[Used]) -> Iterable[Used]:
    for each in use:
        yield replace(each, months={month: each.months[month] for month in months})


def _hours(use: Iterable[Used], months: Months) -> Mapping[ResourceKind, Hours]:
    use = tuple(use)
    return {kind: sum((hours for month, hours in together(use, kind).items() if months.covers(month.first_on)), Hours())
            for kind in ResourceKind}


def _posted(rows: Iterable[Settled], months: Months) -> Iterable[Settled]:
    return (each for each in rows if months.covers(each.month.first_on))
