"""What a diary must look like at every moment, from plain rows alone: who holds what, what is owed when."""
from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from tests.prove.plain_rows import Row, Rows

STANDING = {"proposed", "booked", "arrived"}
BLOCKING = STANDING | {"fulfilled"}
OPEN = {"owed", "booked"}
EXPECTED = {"owed": (0, 0), "booked": (1, 0), "completed": (0, 1), "not-done": (0, 0)}
"""For each state of a session how many standing and how many fulfilled appointments it has."""
DAY = timedelta(days=1)

Gap = tuple[int, int, int]
"""Shortest, ideal and longest days."""


@dataclass(frozen=True)
class Visit:
    """One session of an owner with its date, if it has one: performed or expected."""

    row: Row
    appointment: Row | None
    on: date | None

    @property
    def is_over(self) -> bool:
        return self.row.state == "completed"


@dataclass(frozen=True)
class Series:
    """The sessions of a course or of a maintenance plan, by number, and its protocol's document."""

    kind: str
    owner: Row
    course: Row
    document: Any
    visits: tuple[Visit, ...]
    before_on: date | None
    changes: tuple[Row, ...] = ()
    floor: date | None = None

    @property
    def key(self) -> tuple[str, int]:
        return self.kind, self.owner.id

    def gap(self, number: int) -> Gap | None:
        """The interval before the session of that number; a course's first has none."""
        if self.kind == "maintenance-plan":
            return self.owner.shortest_days, self.owner.interval_days, self.owner.longest_days
        return None if number == 1 else self.usual(number)

    def usual(self, number: int) -> Gap:
        """The interval that the course itself has for that session, or else the one of its place in the cycle."""
        if self.kind == "maintenance-plan":
            return self.owner.shortest_days, self.owner.interval_days, self.owner.longest_days
        for change in self.changes:
            if change.value["from_number"] <= number:
                return change.value["shortest"], change.value["ideal"], change.value["longest"]
        cycle = self.document["cycle"]
        each = cycle[(number - 1) % len(cycle)]["interval"]
        return each["shortest"], each["ideal"], each["longest"]


def series_of(rows: Rows, documents: Mapping[int, Any], now: datetime | None = None) -> list[Series]:
    """Every course and maintenance plan. With `now` a hold whose time is up is no date, cleared away or not."""
    courses = {row.id: row for row in rows["course"]}
    standing = {
        row.treatment_session_id: row for row in rows["appointment"] if row.state in STANDING
        and (row.hold_expires_at is None or now is None or row.hold_expires_at > now)}
    owned: defaultdict[tuple[str, int], list[Visit]] = defaultdict(list)
    for row in sorted(rows["treatment_session"], key=lambda row: row.number):
        key = ("course", row.course_id) if row.course_id is not None else ("maintenance-plan", row.maintenance_plan_id)
        held = standing.get(row.id)
        owned[key].append(Visit(row, held, row.performed_on or (held.local_start.date() if held else None)))
    changes = sorted((row for row in rows["course_override"] if row.code == "interval"), key=lambda row: -row.id)
    found = [
        Series("course", row, row, documents[row.protocol_version_id], tuple(owned["course", row.id]), None,
               tuple(each for each in changes if each.course_id == row.id),
               _floor(rows, row, documents[row.protocol_version_id]))
        for row in rows["course"]]
    for plan in rows["maintenance_plan"]:
        course = courses[plan.course_id]
        last_on = max((each.row.performed_on for each in owned["course", course.id] if each.row.performed_on),
                      default=None)
        found.append(Series("maintenance-plan", plan, course, documents[course.protocol_version_id],
                            tuple(owned["maintenance-plan", plan.id]), last_on,
                            floor=_floor(rows, course, documents[course.protocol_version_id])))
    return found


def _floor(rows: Rows, course: Row, document: Any) -> date | None:
    """The first date that the newest answers let a session be: after the days, or the end, of what passes by itself."""
    asked = [row for row in rows["screening"] if row.course_id == course.id]
    newest = max(asked, key=lambda row: (row.answered_at, row.id), default=None)
    if newest is None:
        return None
    where = next(row.zone for row in rows["clinic"] if row.id == course.clinic_id)
    today = newest.answered_at.astimezone(ZoneInfo(where)).date()
    ends = []
    for reason in document["contraindications"]:
        if reason["code"] not in newest.answers["applies"] or reason["kind"] != "temporary":
            continue
        days, said = reason.get("defer_days"), newest.answers["applies"][reason["code"]]
        on = date.fromisoformat(said) if said else None
        cleared = newest.answers["cleared"].get(reason["code"], "").strip()
        if cleared and (reason.get("waivable") or not days):
            continue
        ends.append((on or today) + timedelta(days=days) if days else on)
    return max((end for end in ends if end and end > today), default=None)


def diary_faults(
    rows: Rows, documents: Mapping[int, Any], lapsed: Container[tuple[str, int]] = (), now: datetime | None = None
) -> list[str]:
    """Everything in the diary that contradicts itself or its protocols, in words; nothing where it is sound.

    The windows of owners in `lapsed` are not looked at. With `now` a hold whose time is up may hold nothing any more.
    """
    every = series_of(rows, documents)
    found = [*_overlaps(rows), *_wall_clocks(rows), *_holdings(rows, every, now), *_hours(rows)]
    for each in every:
        found += [*_obligations(rows, each), *(_windows(each) if each.key not in lapsed else ())]
    return found + list(_recalls(rows))


def _overlaps(rows: Rows) -> Iterator[str]:
    held: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows["resource_booking"]:
        held[row.resource_id].append(row)
    for resource_id, found in held.items():
        for one, other in pairwise(sorted(found, key=lambda row: (row.starts_at, row.ends_at))):
            if other.starts_at < one.ends_at:
                yield f"resource {resource_id} is held by appointments {one.appointment_id} and {other.appointment_id}"


def _wall_clocks(rows: Rows) -> Iterator[str]:
    for row in rows["appointment"]:
        wall = row.local_start.replace(tzinfo=ZoneInfo(row.zone), fold=row.fold)
        if wall.astimezone(UTC) != row.starts_at or row.starts_at.astimezone(ZoneInfo(row.zone)) != wall:
            yield f"appointment {row.id} says {wall} and {row.starts_at}"
        if row.ends_at - row.starts_at != timedelta(minutes=row.minutes):
            yield f"appointment {row.id} does not last {row.minutes} minutes"


def _holdings(rows: Rows, every: list[Series], now: datetime | None) -> Iterator[str]:
    """Each appointment that blocks holds its patient and what its treatment's parts say, and nothing else."""
    held: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows["resource_booking"]:
        held[row.appointment_id].append(row)
    able, homes = _able(rows), _homes(rows)
    of_session = {visit.row.id: (each, visit.row) for each in every for visit in each.visits}
    for row in rows["appointment"]:
        if row.treatment_session_id is None:
            continue
        series, about = of_session[row.treatment_session_id]
        facts = (row.patient_id, row.clinic_id, row.treatment_code)
        expected = (series.course.patient_id, series.course.clinic_id, about.treatment_code)
        if facts != expected:
            yield f"appointment {row.id} is for {facts} and its session for {expected}"
        if now and row.state == "proposed" and row.hold_expires_at <= now and not held[row.id]:
            continue
        if row.state not in BLOCKING:
            if held[row.id]:
                yield f"appointment {row.id} is {row.state} and holds {len(held[row.id])} rows"
        elif row.state == "fulfilled" and about.performed_on != row.local_start.date():
            if held[row.id]:
                yield f"appointment {row.id} was on another date and still holds {len(held[row.id])} rows"
        else:
            treatment = next(each for each in series.document["treatments"] if each["code"] == row.treatment_code)
            yield from _held_faults(row, held[row.id], treatment["parts"], able, homes)


def _held_faults(row: Row, held: list[Row], parts: list[Any], able: Any, homes: Mapping[int, int | None]
                 ) -> Iterator[str]:
    stays = max(part["offset"] + part["minutes"] for part in parts if part["name"] != "turnover")
    wanted = _wanted(parts)
    expected = Counter([("patient", 0, stays), *((kind, *span) for (kind, _), spans in wanted.items()
                                                 for span in spans)])
    spans = {each.id: (_kind(each.resource_id, able), _minutes(row, each.starts_at), _minutes(row, each.ends_at))
             for each in held}
    if Counter(spans.values()) != expected:
        yield f"appointment {row.id} holds {sorted(spans.values())} and needs {sorted(expected.elements())}"
        return
    if [each.resource_id for each in held if each.need == 0] != [row.patient_id]:
        yield f"appointment {row.id} does not hold its own patient {row.patient_id}"
    if sorted(each.need for each in held) != list(range(len(held))):
        yield f"appointment {row.id} numbers its needs {sorted(each.need for each in held)}"
    if len({each.resource_id for each in held}) != len(wanted) + 1:
        yield f"appointment {row.id} needs {len(wanted)} resources and holds another number"
    for (kind, skills), needed in wanted.items():
        serves = [
            ident for ident in {each.resource_id for each in held}
            if all((kind, *span) in [spans[each.id] for each in held if each.resource_id == ident] for span in needed)
            and skills <= able(ident, row.local_start.date()) and homes[ident] in (None, row.clinic_id)]
        if not serves:
            yield f"appointment {row.id} has nobody and nothing for {kind} {sorted(skills)}"


def _wanted(parts: list[Any]) -> dict[tuple[str, frozenset[str]], list[tuple[int, int]]]:
    """The minutes from arrival in which each thing is held without a break."""
    minutes: defaultdict[tuple[str, frozenset[str]], set[int]] = defaultdict(set)
    for part in parts:
        for hold in part["holds"]:
            held = minutes[hold["kind"], frozenset(hold.get("skills", ()))]
            held |= set(range(part["offset"], part["offset"] + part["minutes"]))
    return {
        key: list(zip(sorted(each for each in held if each - 1 not in held),
                      sorted(each + 1 for each in held if each + 1 not in held), strict=True))
        for key, held in minutes.items()}


def _able(rows: Rows) -> Any:
    """What a resource can serve on a date; asked without a date: its kind alone, as a set of one."""
    kinds = {row.id: row.kind for row in rows["resource"]}
    fixed = {row.id: frozenset(row.features) for row in rows["room"]}
    fixed |= {row.id: frozenset({row.device_type}) for row in rows["device"]}

    def able(ident: int, on: date | None = None) -> frozenset[str]:
        if on is None:
            return frozenset({kinds[ident]})
        return fixed.get(ident, frozenset()) | {
            row.code for row in rows["qualification"] if row.practitioner_id == ident
            and row.valid_from <= on and (row.expires_on is None or on <= row.expires_on)}

    return able


def _kind(ident: int, able: Any) -> str:
    [kind] = able(ident)
    return str(kind)


def _homes(rows: Rows) -> dict[int, int | None]:
    homes: dict[int, int | None] = {row.id: None for row in rows["resource"]}
    return homes | {row.id: row.clinic_id for row in [*rows["room"], *rows["device"]]}


def _minutes(row: Row, at: datetime) -> int:
    return int((at - row.starts_at).total_seconds() // 60)


def _hours(rows: Rows) -> Iterator[str]:
    """Nothing is held while the clinic is shut, and nobody outside their rota. Breaks may move: they are left out."""
    zones = {row.id: ZoneInfo(row.zone) for row in rows["clinic"]}
    rotas = {row.id: row.practitioner_id for row in rows["rota"]}
    shifts = [(rotas[row.rota_id], row) for row in rows["rota_span"] if row.clinic_id is not None]
    patients = {row.id for row in rows["patient"]}
    for row in rows["resource_booking"]:
        if row.resource_id in patients:
            continue
        where = zones[row.clinic_id]
        open_hours = [each for each in rows["opening_hours"] if each.clinic_id == row.clinic_id]
        rota = [each for ident, each in shifts if ident == row.resource_id and each.clinic_id == row.clinic_id]
        if not _covers(open_hours, where, row) or (rota and not _covers(rota, where, row)):
            yield f"appointment {row.appointment_id} holds {row.resource_id} from {row.starts_at} outside its hours"


def _covers(hours: list[Row], where: ZoneInfo, row: Row) -> bool:
    on = row.starts_at.astimezone(where).date()
    return any(
        _wall_instant(day, each.opens, where, 0) <= row.starts_at
        and row.ends_at <= _wall_instant(day, each.closes, where, 1)
        for day in (on - DAY, on) for each in hours if each.weekday == day.weekday())


def _wall_instant(day: date, minute: int, where: ZoneInfo, fold: int) -> datetime:
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001  the zone comes next
    return wall.replace(tzinfo=where, fold=fold).astimezone(UTC)


def _obligations(rows: Rows, series: Series) -> Iterator[str]:
    """Each session once, with as many appointments as its state says; the owner's state as its sessions say."""
    numbers = [visit.row.number for visit in series.visits]
    moved_in = {row.row_id for row in rows.get("imported", ()) if row.kind == "course"}
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"{series.key} has the sessions {numbers}"
    for visit in series.visits:
        about = [row.state for row in rows["appointment"] if row.treatment_session_id == visit.row.id]
        counts = (sum(state in STANDING for state in about), about.count("fulfilled"))
        if (visit.row.course_id is None) == (visit.row.maintenance_plan_id is None):
            yield f"session {visit.row.id} has no owner or two"
        if visit.row.state == "completed" and counts == (0, 0) and series.course.id in moved_in:
            continue  # another system had seen it done: only its date came in
        if EXPECTED[visit.row.state] != counts:
            yield f"session {visit.row.id} is {visit.row.state} with {counts[0]} standing, {counts[1]} fulfilled visits"
    states = {visit.row.state for visit in series.visits}
    plans = [row for row in rows["maintenance_plan"] if row.course_id == series.course.id]
    if series.kind == "course":
        ended = series.owner.state in ("completed", "revoked")
        if ended == bool(states & OPEN) or (series.owner.state == "completed") != (states == {"completed"}):
            yield f"{series.key} is {series.owner.state} with sessions {sorted(states)}"
        if len(plans) != (series.owner.state == "completed"):
            yield f"{series.key} is {series.owner.state} and has {len(plans)} maintenance plans"
    elif [visit.row.state in OPEN for visit in series.visits] != [False] * (len(numbers) - 1) + [True]:
        yield f"{series.key} has the sessions {[visit.row.state for visit in series.visits]}: the last one is owed"


def _windows(series: Series) -> Iterator[str]:
    """The window of each open session counts from the real date of the one before, or from that one's window."""
    before = (series.before_on,) * 3 if series.before_on else None
    for visit in series.visits:
        gap = series.gap(visit.row.number)
        window = tuple(on + timedelta(days=days) for on, days in zip(before, gap, strict=True)
                       ) if before and gap else (None, None, None)
        if series.floor and window[0] and visit.row.state in OPEN:
            window = tuple(max(on, series.floor) for on in window)
        kept = (visit.row.earliest_on, visit.row.ideal_on, visit.row.latest_on)
        if visit.row.state in OPEN and kept != window:
            yield f"{series.key} session {visit.row.number} keeps the window {kept}, and {window} follows"
        before = (visit.on,) * 3 if visit.on else (window if window[0] else None)  # type: ignore[assignment]


def _recalls(rows: Rows) -> Iterator[str]:
    asked = Counter(row.treatment_session_id for row in rows["recall"])
    upkeep = Counter(row.id for row in rows["treatment_session"] if row.maintenance_plan_id is not None)
    if asked != upkeep:
        yield f"recalls are of sessions {sorted(asked.elements())}, upkeep is {sorted(upkeep.elements())}"


def come_while_resting(rows: Rows, documents: Mapping[int, Any], now: datetime) -> list[str]:
    """A course that rests, or its upkeep, expects nobody."""
    return [
        f"{series.key} is {series.owner.state} and expects session {visit.row.number} on {visit.on}"
        for series in series_of(rows, documents, now) if series.owner.state != "active" for visit in series.visits
        if visit.appointment and visit.appointment.starts_at > now]


def too_close(rows: Rows, documents: Mapping[int, Any], now: datetime) -> set[tuple[Any, ...]]:
    """Every two visits of one patient that stand nearer to each other than a protocol allows."""
    every = series_of(rows, documents, now)
    found: set[tuple[Any, ...]] = set()
    for series in every:
        dated = [visit for visit in series.visits if visit.on is not None]
        found |= {("early", visit.row.id) for visit in dated
                  if series.floor and not visit.is_over and visit.on < series.floor}  # type: ignore[operator]
        for before, after in combinations(dated, 2):
            if not after.is_over and _when(after) < _when(before):
                found.add(("order", before.row.id, after.row.id))
            first, then = sorted((before, after), key=_when)
            for each in series.document["spacing"]:
                if ((each["first"], each["then"]) == (first.row.treatment_code, then.row.treatment_code)
                        and (then.on - first.on).days < each["days"]):  # type: ignore[operator]
                    found.add(("spacing", first.row.id, then.row.id))
        for before, after, days in _neighbours(series, 0):
            if (after.on - before.on).days < (series.usual(after.row.number)[0] if after.is_over else days):
                found.add(("close", before.row.id, after.row.id))
        first_open = next((visit for visit in dated if not visit.is_over), None)
        if series.before_on and first_open and (first_open.on - series.before_on).days < series.owner.shortest_days:
            found.add(("close", "course", first_open.row.id))
    for one, other in combinations(every, 2):
        if one.course.patient_id == other.course.patient_id:
            found |= _near_elsewhere(one, other)
    return found


def too_late(rows: Rows, documents: Mapping[int, Any], now: datetime) -> set[tuple[int, int, int]]:
    """Course, session before and session after, wherever they stand further apart than the protocol says."""
    return {
        (series.course.id, before.row.id, after.row.id)
        for series in series_of(rows, documents, now) for before, after, days in _neighbours(series, 2)
        if not after.is_over and (after.on - before.on).days > days}


def _neighbours(series: Series, which: int) -> Iterator[tuple[Any, Any, int]]:
    """Each dated session with the one before it in time, and the days between them (0 shortest, 2 longest).

    Sessions between, by number, that have no date stretch them.
    """
    dated = sorted((visit for visit in series.visits if visit.on is not None), key=_when)
    before = {after.row.id: before for before, after in pairwise(dated)}
    days = 0
    for visit in series.visits:
        days += series.usual(visit.row.number)[which] if visit.row.state != "not-done" else 0
        if visit.on is not None:
            if visit.row.id in before:
                yield before[visit.row.id], visit, days
            days = 0


def _when(visit: Visit) -> tuple[date, datetime]:
    """The date decides; of one date, the instant."""
    at = visit.row.performed_at or (visit.appointment.starts_at if visit.appointment else None)
    assert visit.on is not None and at is not None
    return visit.on, at


def _near_elsewhere(one: Series, other: Series) -> set[tuple[Any, ...]]:
    found = set()
    for first, then in ((one, other), (other, one)):
        gaps = {each["after"]: each["days"] for each in then.document["gaps"]}
        for before in first.visits:
            for after in then.visits:
                if before.on is None or after.on is None or _when(after) <= _when(before):
                    continue
                treatment = next(
                    each for each in first.document["treatments"] if each["code"] == before.row.treatment_code)
                days = max((gaps.get(each, 0) for each in treatment["modalities"]), default=0)
                if (after.on - before.on).days < days:
                    found.add(("elsewhere", before.row.id, after.row.id))
    return found
