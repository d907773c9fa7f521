"""What an absence means, from plain rows alone: whose time it takes, who is listed under it, what must not be sent."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tests.prove.plain_rows import Row, Rows

EXPECTED = ("proposed", "booked", "arrived")
ABOUT_ONE = ("reminder-7d", "reminder-2d", "precare")
OF_ALL_DATES = ("confirmation", "dates-held")


def in_absence(rows: Rows) -> frozenset[int]:
    """The appointments of which something that they hold is noted absent for a part of that time."""
    return frozenset(
        held.appointment_id for away in rows["absence"] for held in rows["resource_booking"] if _meet(away, held))


def visits_met(rows: Rows, clinic_id: int, now: datetime) -> dict[int, int]:
    """For each absence that is not over how many visits to come of the clinic stand in it, where there are any."""
    expected = {row.id for row in rows["appointment"] if row.state in EXPECTED}
    found = {
        away.id: len({held.appointment_id for held in rows["resource_booking"] if _meet(away, held)
                      and held.ends_at > now and held.clinic_id == clinic_id and held.appointment_id in expected})
        for away in rows["absence"] if away.ends_at > now}
    return {ident: count for ident, count in found.items() if count}


def put_into_absence(before: Rows, rows: Rows) -> list[str]:
    """The appointments that were given a time, or something to hold, which is in an absence that was noted before."""
    old, new = _holdings(before), _holdings(rows)
    return [f"appointment {ident} was put into an absence" for ident in sorted(in_absence(rows))
            if old.get(ident) != new[ident]]


def sent_in_absence(before: Rows, rows: Rows) -> list[str]:
    """What went since then and counts on a visit in an absence: its reminder, its preparation, its confirmation."""
    gone = {row.id for row in before["message"] if row.state == "sent"}
    went = {row.id for row in rows["message"] if row.state == "sent"} - gone
    away = in_absence(rows)
    return [
        f"{item.kind} went, and counts on appointment {ident}, which is in an absence"
        for item in rows["message_item"] if item.message_id in went and item.dropped is None
        for ident in _counted_on(item) if ident in away]


def _counted_on(item: Row) -> Iterator[int]:
    if item.kind in ABOUT_ONE:
        yield item.subject_id
    elif item.kind in OF_ALL_DATES:
        yield from (each["appointment"] for each in item.facts["visits"])


def _meet(away: Row, held: Row) -> bool:
    """Whether the absence, noted here, takes a part of what is held."""
    return (away.source is None and away.resource_id == held.resource_id
            and away.starts_at < held.ends_at and held.starts_at < away.ends_at)


def _holdings(rows: Rows) -> dict[int, set[tuple[object, ...]]]:
    found: dict[int, set[tuple[object, ...]]] = {}
    for row in rows["resource_booking"]:
        found.setdefault(row.appointment_id, set()).add((row.resource_id, row.starts_at, row.ends_at))
    return found
