"""Who may do what: one table of role × right. What it does not grant is denied."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What an account is at one clinic."""

    RECEPTIONIST = "receptionist"
    PRACTITIONER = "practitioner"
    MANAGER = "manager"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class Right(StrEnum):
    """One thing that may be done."""

    SEE_DIARY = "see-diary"
    SEE_PATIENTS = "see-patients"
    EDIT_PATIENTS = "edit-patients"
    SEE_CLINICAL_NOTES = "see-clinical-notes"
    BOOK = "book"
    ARRIVE = "arrive"
    COMPLETE = "complete"
    OVERRIDE_SCREENING = "override-screening"
    SEE_PROTOCOLS = "see-protocols"
    EDIT_PROTOCOLS = "edit-protocols"
    APPROVE_PROTOCOLS = "approve-protocols"
    SEE_MESSAGES = "see-messages"
    RELEASE_MESSAGES = "release-messages"
    SETTLE_TASKS = "settle-tasks"
    NOTE_ABSENCES = "note-absences"
    SET_UP = "set-up"
    MANAGE_ACCOUNTS = "manage-accounts"
    SEE_AUDIT = "see-audit"
    SEE_FIGURES = "see-figures"
    MOVE_DATA = "move-data"
    WRITE_NEWSLETTER = "write-newsletter"


_DESK = frozenset({
    Right.SEE_DIARY, Right.SEE_PATIENTS, Right.EDIT_PATIENTS, Right.BOOK, Right.ARRIVE, Right.COMPLETE,
    Right.SEE_PROTOCOLS, Right.SEE_MESSAGES, Right.RELEASE_MESSAGES, Right.SETTLE_TASKS,
    Right.NOTE_ABSENCES,
})

GRANTS: dict[Role, frozenset[Right]] = {
    Role.RECEPTIONIST: _DESK,
    Role.PRACTITIONER: _DESK | {Right.SEE_CLINICAL_NOTES, Right.OVERRIDE_SCREENING, Right.APPROVE_PROTOCOLS},
    Role.MANAGER: _DESK | {Right.EDIT_PROTOCOLS, Right.SET_UP, Right.SEE_FIGURES, Right.SEE_AUDIT, Right.MOVE_DATA,
                          Right.WRITE_NEWSLETTER},
    Role.ADMINISTRATOR: frozenset({Right.SET_UP, Right.NOTE_ABSENCES, Right.MANAGE_ACCOUNTS, Right.SEE_AUDIT,
                                   Right.SEE_PROTOCOLS}),
    Role.AUDITOR: frozenset({
        Right.SEE_DIARY, Right.SEE_PATIENTS, Right.SEE_PROTOCOLS, Right.SEE_MESSAGES, Right.SEE_AUDIT,
        Right.SEE_FIGURES,
    }),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that an account holds at a clinic."""

    clinic_id: int
    role: Role


def may(grants: Iterable[Grant], right: Right, clinic_id: int | None = None) -> bool:
    """Whether these grants give the right at that clinic; with no clinic named, at any of them."""
    return any(
        right in GRANTS[grant.role] and (clinic_id is None or grant.clinic_id == clinic_id) for grant in grants
    )


def clinics_where(grants: Iterable[Grant], right: Right) -> tuple[int, ...]:
    """The clinics at which these grants give the right, in order of their ids."""
    return tuple(sorted({grant.clinic_id for grant in grants if right in GRANTS[grant.role]}))
