"""What is owed where a session has no date: a patient who did not come, upkeep that is due, a next session to book."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from clinic.care.message_kinds import MessageKind
from clinic.care.message_rules import MORNING
from clinic.care.nudges import RESTS, nudges, out_of_window
from clinic.care.owed_items import OwedItem, owed_item
from clinic.care.owner_facts import OwnerFacts, SessionFacts
from clinic.care.states import SessionState
from clinic.planning.local import DAY, day_of, instant

MISSED_LASTS = timedelta(days=7)
"""How long after a missed appointment its patient may be written to about it. Our default: no source gives a figure."""


def missed(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    """On the next day that the clinic is open, unless a new date was found for the session by then."""
    rule = facts.rules.of(MessageKind.MISSED)
    undated = {each.id for each in facts.sessions if each.state is SessionState.OWED}
    undated -= {each.treatment_session_id for each in facts.appointments if each.is_standing}
    for each in facts.appointments:
        if each.is_missed and each.closed_at is not None and each.treatment_session_id in undated:
            noted_on = day_of(each.closed_at, facts.quiet.zone)
            yield owed_item(
                facts, now, MessageKind.MISSED, ("appointment", each.id, each.revision),
                planned=rule.on(facts.business.next_after(noted_on) + rule.days * DAY, facts.quiet.zone),
                useless_after=each.starts_at + MISSED_LASTS)


def recalls(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    """The recall of each session of upkeep that is due and has no date."""
    rule = facts.rules.of(MessageKind.RECALL)
    for each in facts.sessions:
        booked = any(item.is_standing for item in facts.appointments if item.treatment_session_id == each.id)
        if each.ask_on is None or each.latest_on is None or each.state is not SessionState.OWED or booked:
            continue
        asked_on = max([each.ask_on + rule.days * DAY, *_rests(facts, each)])
        yield owed_item(
            facts, now, MessageKind.RECALL, ("treatment-session", each.id, 0),
            planned=rule.on(asked_on, facts.quiet.zone), useless_after=instant(each.latest_on, 1440, facts.quiet.zone))


def asks(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    """What the patient of a course is asked about the next session that has no date."""
    for each in (*nudges(facts), *out_of_window(facts)):
        yield owed_item(
            facts, now, each.kind, ("treatment-session", each.treatment_session_id, each.revision),
            planned=facts.rules.of(each.kind).on(each.on, facts.quiet.zone),
            useless_after=instant(each.until, MORNING, facts.quiet.zone))


def _rests(facts: OwnerFacts, session_facts: SessionFacts) -> Iterator[date]:
    for each in facts.appointments:
        if each.treatment_session_id == session_facts.id and each.closed_at is not None:
            yield day_of(each.closed_at, facts.quiet.zone) + RESTS
