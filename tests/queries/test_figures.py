"""The figures as the database answers them, against a slow count of the same rows one by one."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.figures.counted import Column
from clinic.care.figures.happened import End
from clinic.care.figures.months import Month, Months
from clinic.care.figures.shares import Middle, Share
from clinic.care.figures.tables import By
from clinic.care.parts import ResourceKind, needs_of
from clinic.queries.figures import Figures, figures_of
from clinic.queries.figures_rows import Asked, happened
from clinic.queries.protocol_contents import protocol_of
from clinic.services.appointments import cancel_appointment
from clinic.services.requests import answer_request, cancel_as_wished
from clinic.services.work import Done
from clinic.store.accounts import AuditEntry, Task
from clinic.store.engine import for_writing
from clinic.store.resources import Absence
from tests.queries.busy_clinic import LONDON, BusyClinic
from tests.queries.statements import counted
from tests.small_clinic import SmallClinic, small_clinic
from tests.web.seed import add_appointment

NOW = datetime(2027, 7, 5, 9, tzinfo=UTC)
SPRING = Months(Month(2027, 3), Month(2027, 5))


@pytest.fixture
def busy(engine: Engine) -> SmallClinic:
    """The small clinic after a spring, in which the clocks went forward and a nurse was away for three days of May;
    some sessions have no visit, as those have that were moved in."""
    made = small_clinic(engine, patients=40)
    made.now = NOW
    who = made.practitioners[:2]
    with Session(engine) as db:
        versions = [(ident, protocol_of(db, ident).cycle[0].treatment) for ident in sorted(made.versions.values())[:3]]
    BusyClinic(made.clinic_id, who, made.rooms, made.patients, versions).live(
        date(2027, 1, 4), date(2027, 5, 29)).write(engine)
    with Session(for_writing(engine)) as db:
        db.add(Absence(resource_id=made.practitioners[2], reason="", starts_at=datetime(2027, 5, 3, tzinfo=UTC),
                       ends_at=datetime(2027, 5, 6, tzinfo=UTC)))
        db.execute(sa.text("DELETE FROM appointment WHERE state = 'fulfilled' AND id % 25 = 0"))
        db.commit()
    return made


def asked(made: SmallClinic, **changes: Any) -> Asked:
    return replace(Asked({made.clinic_id: LONDON}, {made.clinic_id: 36}, SPRING, NOW), **changes)


def found(made: SmallClinic, **changes: Any) -> Figures:
    with Session(made.engine) as db:
        return figures_of(db, asked(made, **changes), ahead_at=made.clinic_id)


class Recount:
    """Every row of the tables, and each figure counted from them in the plainest way."""

    def __init__(self, made: SmallClinic, months: Months = SPRING) -> None:
        self.months = months
        with made.engine.connect() as connection:
            read = connection.execution_options(stream_results=False).exec_driver_sql
            self.rows = {table: [dict(row._mapping) for row in read(f"SELECT * FROM {table}")]
                         for table in ("course", "treatment_session", "appointment", "protocol_version")}
        self.courses = {row["id"]: row for row in self.rows["course"]}
        self.sessions = {row["id"]: row for row in self.rows["treatment_session"]}
        self.given_by = {row["treatment_session_id"]: row["practitioner_id"] for row in self.rows["appointment"]
                         if row["state"] == "fulfilled"}

    def given(self, practitioner: int | None = None) -> Iterator[dict[str, Any]]:
        for row in self.rows["treatment_session"]:
            if row["performed_on"] and self.months.covers(on(row["performed_on"])) and practitioner in (
                    None, self.given_by.get(row["id"])):
                yield row

    def in_window(self, practitioner: int | None = None) -> tuple[int, int, float]:
        placed = [row for row in self.given(practitioner) if row["ideal_on"]]
        days = [(on(row["performed_on"]) - on(row["ideal_on"])).days for row in placed]
        return sum(-7 <= each <= 7 for each in days), len(placed), median(days)

    def missed(self, practitioner: int | None = None) -> tuple[int, int, int]:
        whole = sum(1 for _ in self.given(practitioner))
        noshow = late = 0
        for row in self.rows["appointment"]:
            if not self.months.covers(local(row)) or practitioner not in (None, row["practitioner_id"]):
                continue
            notice = seconds(row["starts_at"]) - seconds(row["closed_at"])
            by_patient = (row["cancellation_reason"] or "").startswith(("The patient is", "The patient can"))
            is_noshow = row["state"] == "noshow" and row["ended_cause"] != "by-clinic"
            is_late = row["state"] == "cancelled" and by_patient and notice < 36 * 3600
            whole += is_noshow or is_late or row["ended_cause"] == "tan"
            noshow, late = noshow + is_noshow, late + is_late
        return noshow, late, whole

    def next_dated(self) -> tuple[int, int]:
        dated = whole = 0
        for row in self.given():
            course = self.courses[row["course_id"]]
            then = [each for each in self.rows["treatment_session"]
                    if (each["course_id"], each["number"]) == (row["course_id"], row["number"] + 1)]
            stopped = course["state"] == "revoked" and on(course["ended_on"]) <= on(row["performed_on"])
            if not then or row["id"] not in self.given_by or stopped:
                continue
            evening = seconds(row["performed_at"]) + 12 * 3600
            dated += any(each["treatment_session_id"] == then[0]["id"] and seconds(each["created_at"]) <= evening
                         and (each["closed_at"] is None or seconds(each["closed_at"]) > evening)
                         for each in self.rows["appointment"])
            whole += 1
        return dated, whole

    def ended(self) -> Iterator[tuple[str, int]]:
        """How each course ended that did, and after how many sessions."""
        for course in self.rows["course"]:
            own = sorted((row for row in self.rows["treatment_session"] if row["course_id"] == course["id"]),
                         key=lambda row: row["number"])
            given, reason = [row for row in own if row["performed_on"]], course["ended_reason"] or ""
            if course["ended_on"]:
                is_end = bool(given) and not reason.startswith("Booked by")
                how = "done" if course["state"] == "completed" or reason.startswith("The result") else "dropped"
                if is_end and self.months.covers(on(course["ended_on"])):
                    yield how, len(given)
            elif given and len(given) < len(own) and own[len(given)]["latest_on"]:
                quiet_on = on(own[len(given)]["latest_on"]) + timedelta(days=56)
                if self.months.covers(quiet_on) and quiet_on <= NOW.date():
                    yield "dropped", len(given)


def on(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def local(row: dict[str, Any]) -> date:
    value = row["local_start"]
    return (value if isinstance(value, datetime) else datetime.fromisoformat(value)).date()


def seconds(value: Any) -> int:
    return value if isinstance(value, int) else int(value.timestamp())


def test_a_clinic_in_which_nothing_happened_and_nothing_is_owed_is_blank(engine: Engine) -> None:
    made = small_clinic(engine)

    assert found(made).is_blank


def test_the_figures_are_those_of_a_count_of_every_row(busy: SmallClinic) -> None:
    with counted(busy.engine) as statements:
        page = found(busy)
    assert not page.is_blank
    slow, alone = Recount(busy), busy.practitioners[0]

    inside, placed, drift = slow.in_window()
    window, days = page.total[Column.IN_WINDOW], page.total[Column.DRIFT]
    assert isinstance(window, Share) and isinstance(days, Middle)
    assert (window.part, window.whole, days.median) == (inside, placed, drift)
    assert placed > 100
    noshow, late, whole = slow.missed()
    assert [(cell.part, cell.whole) for cell in shares(page, Column.NO_SHOW, Column.LATE)] == [
        (noshow, whole), (late, whole)]
    assert [(cell.part, cell.whole) for cell in shares(page, Column.NEXT_DATED)] == [slow.next_dated()]
    ended = Counter(how for how, _ in slow.ended())
    assert [(cell.part, cell.whole) for cell in shares(page, Column.COMPLETED)] == [
        (ended["done"], ended["done"] + ended["dropped"])]
    dropped = Counter(after for how, after in slow.ended() if how == "dropped")
    went_on = Counter(row["number"] - 1 for row in slow.given())
    assert [(step.after, step.went_on, step.stopped) for step in page.steps] == [
        (step.after, went_on[step.after], dropped[step.after]) for step in page.steps]
    assert len(page.steps) >= 3
    # One person's row is what is found for them alone.
    inside, placed, drift = slow.in_window(alone)
    row = next(each for each in page.tables[By.PRACTITIONER].rows if each.key == alone)
    mine = found(busy, practitioner_id=alone)
    for cell in (*shares_of(row.cells, Column.IN_WINDOW), *shares(mine, Column.IN_WINDOW)):
        assert (cell.part, cell.whole) == (inside, placed)
    noshow, late, whole = slow.missed(alone)
    assert [(cell.part, cell.whole) for cell in shares(mine, Column.NO_SHOW, Column.LATE)] == [
        (noshow, whole), (late, whole)]
    assert len([each for each in statements if each.startswith("SELECT")]) == 8


def shares(page: Figures, *columns: Column) -> list[Share]:
    return shares_of(page.total, *columns)


def shares_of(cells: Any, *columns: Column) -> list[Share]:
    return [cell for column in columns if isinstance(cell := cells[column], Share)]


@dataclass(frozen=True)
class Story:
    """How many hours before a visit its patient asks on their page to cancel it, and the desk does what."""

    notice: int
    asked: int | None = None
    as_wished: bool = True
    declined: int | None = None
    moved: int | None = None


STORIES = (
    Story(2, as_wished=False), Story(40, asked=40), Story(36, asked=36), Story(35, asked=35), Story(3, asked=3),
    Story(60, asked=60, as_wished=False),  # cancelled on the visit's own page: the request is open still
    Story(2, asked=60, as_wished=False, declined=50), Story(2, asked=60, as_wished=False, moved=50))


def test_who_asks_on_their_page_gives_notice_when_they_ask_whenever_the_desk_cancels(engine: Engine) -> None:
    made, starts = small_clinic(engine), datetime(2027, 4, 14, 9, tzinfo=UTC)
    for place, story in enumerate(STORIES):
        live(made, story, made.patients[0], starts + timedelta(days=place))
    made.now = NOW

    with Session(engine) as db:
        visits = sorted(happened(db, asked(made)).visits, key=lambda each: each.on)
        facts = db.scalars(sa.select(AuditEntry.facts).where(
            AuditEntry.action == "appointment-cancelled").order_by(AuditEntry.id)).all()

    assert [(each.notice, each.end) for each in visits] == [
        (timedelta(hours=story.notice), End.LATE if story.notice < 36 else End.IN_TIME) for story in STORIES]
    assert [each.get("asked_at") for each in facts] == [
        (starts + timedelta(days=place) - timedelta(hours=story.asked)).isoformat()
        if story.asked == story.notice else None for place, story in enumerate(STORIES)]


def live(made: SmallClinic, story: Story, patient_id: int, starts: datetime) -> None:
    """A visit, and what happens to it in the order of the clock; two hours before it the desk cancels."""
    with Session(for_writing(made.engine)) as db:
        visit_id = add_appointment(db, patient_id, made.clinic_id, starts)
        task = Task(clinic_id=made.clinic_id, patient_id=patient_id, kind="cancel", appointment_id=visit_id,
                    text="Asks to cancel.", due_on=starts.date(), created_at=starts - timedelta(hours=story.asked or 0))
        if story.asked is not None:
            db.add(task)
        if story.moved is not None:
            db.add(AuditEntry(at=starts - timedelta(hours=story.moved), actor="test", action="appointment-moved",
                              subject_kind="appointment", subject_id=visit_id))
        db.flush()
        task_id = task.id
        db.commit()
    if story.declined is not None:
        made.now = starts - timedelta(hours=story.declined)
        with made.work("receptionist") as work:
            assert isinstance(answer_request(work, task_id, reply=""), Done)
    made.now = starts - timedelta(hours=2)
    with made.work("receptionist") as work:
        outcome = cancel_as_wished(work, task_id, lock_version=1) if story.asked and story.as_wished else (
            cancel_appointment(work, visit_id, reason="The patient cannot come", lock_version=1))
        assert isinstance(outcome, Done)


def test_months_and_the_months_before_add_up_without_gap_or_overlap(busy: SmallClinic) -> None:
    whole = found(busy, months=Months(Month(2027, 1), Month(2027, 6)))
    halves = found(busy, months=Months(Month(2027, 4), Month(2027, 6)))

    for column in (Column.IN_WINDOW, Column.NO_SHOW, Column.NEXT_DATED):
        (one,), (now,), (then,) = (shares_of(cells, column) for cells in (whole.total, halves.total, halves.before))
        assert (one.part, one.whole) == (now.part + then.part, now.whole + then.whole)
    assert halves.post.wanted + halves.post_before.wanted == whole.post.wanted > 300
    assert halves.hours[ResourceKind.ROOM] + halves.hours_before[ResourceKind.ROOM] == whole.hours[ResourceKind.ROOM]


def test_hours_are_those_of_the_rota_and_what_was_held_of_them(busy: SmallClinic) -> None:
    page = found(busy)
    days = [SPRING.from_on + timedelta(days=each) for each in range((SPRING.until_on - SPRING.from_on).days)]
    work = sum(each.weekday() < 5 for each in days)
    with busy.engine.connect() as connection:
        held = Counter(connection.execute(sa.text(
            "SELECT b.resource_id FROM resource_booking b JOIN appointment a ON a.id = b.appointment_id"
            " WHERE a.local_start >= '2027-03-01' AND a.local_start < '2027-06-01' AND b.need > 0")).scalars())

    used = {each.resource_id: each.total for each in page.used}

    first, away, room = busy.practitioners[0], busy.practitioners[2], busy.rooms[0]
    assert (used[first].there, used[first].used) == (work * (540 - 30), held[first] * 45)
    assert (used[away].there, used[away].used) == ((work - 3) * (540 - 30), 0)
    assert (used[room].there, used[room].used) == (work * 540, held[room] * 45)


def test_what_is_owed_and_what_is_free_are_laid_out_week_by_week(busy: SmallClinic) -> None:
    room = next(each for each in found(busy).coming if each.kind is ResourceKind.ROOM)

    weeks, monday, owed = room.weeks, date(2027, 7, 5), Counter[date]()
    rows = Recount(busy).rows["treatment_session"]
    with Session(busy.engine) as db:
        versions = dict(db.execute(sa.text("SELECT id, protocol_version_id FROM course WHERE state = 'active'")).all())
        quiet = {row["course_id"] for row in rows if row["state"] == "owed" and row["latest_on"]
                 and on(row["latest_on"]) < NOW.date() - timedelta(days=56)}
        for row in rows:
            if row["state"] == "owed" and row["course_id"] in versions.keys() - quiet:
                ideal_on = on(row["ideal_on"]) if row["ideal_on"] else monday
                treatment = protocol_of(db, versions[row["course_id"]]).treatment(row["treatment_code"])
                owed[max(monday, ideal_on - timedelta(days=ideal_on.weekday()))] += sum(
                    need.minutes for need in needs_of(treatment.parts)
                    if need.kind is ResourceKind.ROOM and "+".join(sorted(need.skills)) == room.code)
    assert [week.from_on for week in weeks] == [date(2027, 7, 5) + timedelta(weeks=each) for each in range(12)]
    assert weeks[1].free == 2 * 5 * 540  # two rooms, nothing is booked
    assert weeks[0].free == weeks[1].free - 2 * 60  # ten o'clock on Monday, in London
    assert [week.owed for week in weeks] == [owed[week.from_on] for week in weeks]
    assert weeks[0].owed > weeks[1].owed > 0
