"""Who may do what: the whole table, said once more; whatever it does not say is denied."""
from __future__ import annotations

import pytest

from clinic.access import GRANTS, Grant, Right, Role, clinics_where, may

# One column for each role: receptionist, practitioner, manager, administrator, auditor.
TABLE = """
see-diary           R P M - U
see-patients        R P M - U
edit-patients       R P M - -
see-clinical-notes  - P - - -
book                R P M - -
arrive              R P M - -
complete            R P M - -
override-screening  - P - - -
see-protocols       R P M A U
edit-protocols      - - M - -
approve-protocols   - P - - -
see-messages        R P M - U
release-messages    R P M - -
settle-tasks        R P M - -
note-absences       R P M A -
set-up              - - M A -
manage-accounts     - - - A -
see-audit           - - M A U
see-figures         - - M - U
move-data           - - M - -
write-newsletter    - - M - -
"""
ROLES = (Role.RECEPTIONIST, Role.PRACTITIONER, Role.MANAGER, Role.ADMINISTRATOR, Role.AUDITOR)
PAIRS = [
    (Right(name), role, mark != "-")
    for name, *marks in map(str.split, TABLE.strip().splitlines()) for role, mark in zip(ROLES, marks, strict=True)
]


@pytest.mark.parametrize("right, role, granted", PAIRS)
def test_a_role_has_a_right_or_has_it_not(right: Right, role: Role, granted: bool) -> None:
    assert may([Grant(1, role)], right, 1) is granted


def test_the_table_says_every_right_of_every_role() -> None:
    assert {(right, role) for right, role, _ in PAIRS} == {(right, role) for right in Right for role in Role}
    assert set(GRANTS) == set(Role)


@pytest.mark.parametrize("right", list(Right))
def test_nobody_may_do_anything_without_a_role(right: Right) -> None:
    assert not may([], right)
    assert not may([], right, 1)
    assert clinics_where([], right) == ()


def test_a_right_holds_at_the_clinic_of_the_role_only() -> None:
    grants = [Grant(1, Role.RECEPTIONIST), Grant(2, Role.AUDITOR)]

    assert [may(grants, Right.BOOK, clinic) for clinic in (1, 2, 3, None)] == [True, False, False, True]
    assert [may(grants, Right.SEE_AUDIT, clinic) for clinic in (1, 2, None)] == [False, True, True]


def test_several_roles_add_up_and_clinics_come_in_order() -> None:
    grants = [Grant(7, Role.MANAGER), Grant(2, Role.RECEPTIONIST), Grant(2, Role.PRACTITIONER), Grant(5, Role.AUDITOR)]

    assert clinics_where(grants, Right.BOOK) == (2, 7)
    assert may(grants, Right.APPROVE_PROTOCOLS, 2)
    assert not may(grants, Right.APPROVE_PROTOCOLS, 7)


def test_who_looks_after_accounts_or_the_books_sees_no_patients_notes_and_books_nothing() -> None:
    for role in (Role.ADMINISTRATOR, Role.AUDITOR):
        assert not GRANTS[role] & {
            Right.BOOK, Right.EDIT_PATIENTS, Right.SEE_CLINICAL_NOTES, Right.OVERRIDE_SCREENING, Right.COMPLETE}
