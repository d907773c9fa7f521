"""The diary's filter by visits: those of some states or treatments stand back, in the grid without their colour."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from zlib import crc32

from werkzeug.datastructures import MultiDict

from clinic.care.states import AppointmentState
from clinic.queries.diary import DiaryVisit
from clinic.web.course_words import APPOINTMENT_STATES
from clinic.web.diary_choices import Choices

Offered = tuple[str, str, bool]
"""The value that a form sends, its words, and whether such visits stand out as ever."""

_OF_NAMES = 100_000_000
"""Numbers of treatments that only a protocol knows begin here, above those of the clinic's own."""


def treatment_number(visit: DiaryVisit) -> int:
    """A number that says which treatment the visit is for, the same on every day."""
    return visit.treatment_id or _OF_NAMES + crc32(visit.treatment.encode()) % (8 * _OF_NAMES)


def stands_back(visit: DiaryVisit, chosen: Choices) -> bool:
    """Whether somebody does not want to be shown that visit now. It holds its time all the same."""
    return visit.state in chosen.back_states or treatment_number(visit) in chosen.back_treatments


def states_offered(chosen: Choices) -> list[Offered]:
    """Every state of a visit."""
    return [(state.value, APPOINTMENT_STATES[state], state not in chosen.back_states) for state in AppointmentState]


def treatments_offered(visits: Iterable[DiaryVisit], chosen: Choices) -> list[Offered]:
    """The treatments of these visits, by name."""
    known = {treatment_number(each): each.treatment for each in visits}
    return [(str(number), name, number not in chosen.back_treatments)
            for number, name in sorted(known.items(), key=lambda each: (each[1].casefold(), each[0]))]


def narrowed(chosen: Choices, sent: MultiDict[str, str], visits: Sequence[DiaryVisit]) -> Choices:
    """With what the form of the filter asks for: what is not ticked stands back; with nothing ticked, nothing does."""
    if "only-state" in sent:
        wanted = {state for state in AppointmentState if state.value in sent.getlist("only-state")}
        chosen = replace(chosen, back_states=frozenset(AppointmentState) - wanted if wanted else frozenset())
    if "only-treatment" in sent:
        offered = {treatment_number(each) for each in visits}
        ticked = offered.intersection(sent.getlist("only-treatment", type=int))
        kept = chosen.back_treatments - offered
        chosen = replace(chosen, back_treatments=kept | (offered - ticked if ticked else frozenset()))
    return chosen
