"""What is done to the code to see whether the tests notice: each patch removes one guard and names who must cry out."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Edit:
    """One place in a file: the text that stands there exactly once, and what takes its place."""

    file: str
    old: str
    new: str

    def apply(self, root: Path) -> None:
        """Changes the file below that root; ValueError where the text does not stand there exactly once."""
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} holds {text.count(self.old)} times: {self.old!r}")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Patch:
    """One guard removed: what it would do to a patient, where, and the test that must fail."""

    name: str
    harm: str
    test: str
    edits: tuple[Edit, ...]


_KEY = 'sa.UniqueConstraint("kind", "subject_kind", "subject_id", "revision", "generation"),\n'

PATCHES = (
    Patch(
        "mark-before-send", "a crash after the mark loses the message",
        "tests/services/test_delivery.py::test_a_crash_costs_at_most_one_true_copy",
        (Edit("clinic/services/delivery.py",
              '            _note(work, self.worker_id, claim, "begun")\n',
              '            _note(work, self.worker_id, claim, "begun")\n'
              "            message = held_by(work.db, claim.message_id, claim.lease_token)\n"
              "            assert message is not None\n"
              "            settle(work, message, MessageState.SENT, None)\n"),),
    ),
    Patch(
        "no-fencing", "a worker that comes back late sends what another has taken over",
        "tests/services/test_delivery.py::test_a_lease_that_was_lost_before_the_dot_sends_nothing",
        (Edit("clinic/store/claims.py",
              'row.id == sa.bindparam("of_id"), row.lease_token == sa.bindparam("of_lease"),\n',
              'row.id == sa.bindparam("of_id"), sa.bindparam("of_lease") == sa.bindparam("of_lease"),\n'),),
    ),
    Patch(
        "no-recheck", "what was written once goes out again for a time that no longer holds",
        "tests/services/test_delivery.py::test_what_may_have_been_sent_counts_as_told",
        (Edit("clinic/services/recheck.py",
              "    shares = shares_of(work, message, rows)\n",
              "    if message.mime is not None:\n        return _frozen_of(message)\n"
              "    shares = shares_of(work, message, rows)\n"),),
    ),
    Patch(
        "get-acts", "a scanner that looks at a link uses it up",
        "tests/web/test_my_door.py::"
        "test_a_link_that_machines_fetch_a_hundred_times_changes_nothing_whatever_its_fate",
        (Edit("clinic/web/my_door.py",
              "    with kit().read() as db:\n        seen = link_seen(",
              "    with kit().work(ACTOR) as work:\n        open_link(work, secret)\n"
              "    with kit().read() as db:\n        seen = link_seen("),),
    ),
    Patch(
        "no-unique-key", "two writers say the same thing twice",
        "tests/store/test_guards.py::test_the_same_thing_is_never_said_twice_however_it_is_written_down",
        (Edit("clinic/store/outbox.py", f"        {_KEY}", ""),
         Edit("migrations/versions/0001_create_the_clinic.py", f"        {_KEY}", "")),
    ),
    Patch(
        "no-lease-margin", "a worker that slept sends although its lease may end before the answer",
        "tests/services/test_delivery.py::test_a_courier_that_was_asleep_for_its_lease_does_not_send",
        (Edit("clinic/services/delivery.py",
              "self.lease_for.total_seconds() - self.budget:", "self.lease_for.total_seconds():"),),
    ),
    Patch(
        "no-quiet-hours", "a patient is woken at two in the morning",
        "tests/services/test_delivery.py::"
        "test_what_is_overdue_in_the_night_waits_for_the_morning_without_using_an_attempt",
        (Edit("clinic/care/quiet.py",
              "    while (until := _quiet_until(at, quiet)) is not None:\n        at = until\n    return at\n",
              "    return at\n"),),
    ),
    Patch(
        "local-time-arithmetic", "over a clock change what is to come so many hours later is an hour off",
        "tests/care/test_owed.py::test_a_check_in_comes_after_hours_that_elapse_over_a_clock_change",
        (Edit("clinic/care/message_rules.py",
              "self._on_weekday(at + timedelta(", "self._on_weekday(local_of(at, where) + timedelta("),
         Edit("clinic/care/message_rules.py",
              "self._on_weekday(starts_at - timedelta(", "self._on_weekday(local_of(starts_at, where) - timedelta(")),
    ),
)
