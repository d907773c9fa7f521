"""Who was faster, in words for staff: the heading and the sentence of every page that says that nothing was saved."""
from __future__ import annotations

from clinic.planning.local import local_of
from clinic.queries.last_change import last_change
from clinic.services.work import Stale
from clinic.web.entry import here
from clinic.web.kit import kit, now
from clinic.web.words import clock, moment

ELSE = "Someone else was faster"
_UNKNOWN = "This was changed after you opened it"


def who_was_faster(error: Stale) -> tuple[str, str]:
    """A heading, and who changed it when: you in another window, somebody by name, the patient, or nobody we know."""
    with kit().read() as db:
        found = last_change(db, error.subject_kind, error.subject_id)
    if found is None:
        return ELSE, f"{_UNKNOWN}."
    where = here().clinic.zone
    at, today = local_of(found.at, where), local_of(now(), where).date()
    when = f"at {clock(at)}" if at.date() == today else f"on {moment(at)}"
    if found.account_id == here().account_id:
        return "Already changed", f"You changed this in another window {when}."
    if found.name:
        return ELSE, f"{found.name} changed this {when}."
    if found.actor == "patient":
        return "The patient was faster", f"The patient changed this on their own page {when}."
    return ELSE, f"{_UNKNOWN}, {when}."
