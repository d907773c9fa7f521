"""Time passes, a worker does its rounds or sleeps, messages go out."""
from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from clinic.care.outcomes import NoShowCause, NotTreatedCause
from clinic.services.attendance import end_untreated, mark_noshow
from clinic.services.completion import complete_appointment
from tests.prove.machine_clinic import Clinic
from tests.prove.plain_rows import Row

WAITS = {
    "a minute": timedelta(minutes=1), "the grace": timedelta(minutes=3), "an hour": timedelta(hours=1),
    "half a day": timedelta(hours=12), "a day": timedelta(days=1), "a week": timedelta(days=7),
    "a month": timedelta(days=30),
}
WORKER = st.sampled_from(("sleeps", "lives", "delivers"))


class Time(Clinic):
    """What time does."""

    @rule(how_long=st.sampled_from(sorted(WAITS)), worker=WORKER)
    def wait(self, how_long: str, worker: str) -> None:
        self.pass_time(self.made.now + WAITS[how_long], worker)

    @precondition(lambda self: self.appointments("booked"))
    @rule(which=st.integers(0, 2), minutes=st.sampled_from((-180, 0, 120)), worker=WORKER)
    def wait_for_visit(self, which: int, minutes: int, worker: str) -> None:
        coming = sorted({row.starts_at for row in self.appointments("booked")})
        at = self.one(coming, which) + timedelta(minutes=minutes)
        self.pass_time(max(self.made.now, at), worker)

    @precondition(lambda self: self.appointments("booked"))
    @rule(ends=st.lists(st.sampled_from(("treated", "treated", "treated", "missed", "sent home")), min_size=1,
                        max_size=4), worker=WORKER)
    def let_visits_take_place(self, ends: list[str], worker: str) -> None:
        """The next visits come and end, each so; courses come to their end, and upkeep begins."""
        coming = sorted(self.appointments("booked"), key=lambda row: row.starts_at)
        for row, how in zip(coming, ends, strict=False):
            self.pass_time(max(self.made.now, row.ends_at), worker)
            self.the_diary_is_sound()
            standing = next((each for each in self.appointments("booked") if each.id == row.id), None)
            if standing and standing.local_start.date() == self.local_date():
                self.end(standing, how)

    def end(self, row: Row, how: str) -> None:
        if how == "treated":
            self.act("complete", lambda work: complete_appointment(work, row.id, lock_version=row.lock_version), row)
        elif how == "missed":
            self.act("miss", lambda work: mark_noshow(
                work, row.id, cause=NoShowCause.FORGOT, lock_version=row.lock_version), row)
        else:
            self.act("send home", lambda work: end_untreated(
                work, row.id, cause=NotTreatedCause.COLD_SORE, lock_version=row.lock_version), row)
        self.the_diary_is_sound()

    @rule(hours=st.sampled_from((-30, -1, 1, 30)), worker=WORKER)
    def wait_for_clock_change(self, hours: int, worker: str) -> None:
        at = _next_clock_change(self.made.now + timedelta(hours=36), self.zone)
        if at - self.made.now < timedelta(days=120):
            self.pass_time(at + timedelta(hours=hours), worker)

    @precondition(lambda self: any(row.state == "pending" and row.due_at <= self.made.now
                                   for row in self.rows["message"]))
    @rule()
    def deliver(self) -> None:
        self.send_what_is_due()
        self.look("deliver")


def _next_clock_change(at: datetime, where: ZoneInfo) -> datetime:
    offset = at.astimezone(where).utcoffset()
    while at.astimezone(where).utcoffset() == offset:
        at += timedelta(minutes=30)
    return at.replace(minute=at.minute // 30 * 30, second=0)
