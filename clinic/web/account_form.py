"""The form of an account: its fields, and how two versions of it compare."""
from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from clinic.access import Grant, Role
from clinic.queries.account_list import AccountCard
from clinic.services.account_changes import AccountDetails
from clinic.web.forms import Form
from clinic.web.words import ROLES


def read_details(form: Form, clinics: Collection[int]) -> AccountDetails:
    """What was typed about an account and ticked at these clinics; faults stay with the form."""
    grants = tuple(
        Grant(clinic_id, Role(code)) for clinic_id in clinics
        for code in form.some_of(f"roles-{clinic_id}", "Roles", [role.value for role in Role]))
    return AccountDetails(
        name=form.text("name", "The name", most=200), grants=grants,
        practitioner_id=form.choice("practitioner", "A practitioner", int, required=False))


def initial_of(card: AccountCard) -> dict[str, Any]:
    """What the fields show before anything is typed."""
    at = {grant.clinic_id for grant in card.grants}
    return {"name": card.name, "practitioner": card.practitioner_id, "lock_version": card.lock_version,
            **{f"roles-{clinic_id}": [role.value for role in card.roles_at(clinic_id)] for clinic_id in at}}


def compared(
    card: AccountCard, wanted: AccountDetails, clinics: Collection[tuple[int, str]], practitioners: Mapping[int, str]
) -> list[tuple[str, str, str]]:
    """An account as it is now and as was wanted, field by field."""
    rows = [("Name", card.name, wanted.name),
            ("Practitioner", card.practitioner or "", practitioners.get(wanted.practitioner_id or 0, ""))]
    for clinic_id, name in clinics:
        held = card.roles_at(clinic_id)
        asked = tuple(grant.role for grant in wanted.grants if grant.clinic_id == clinic_id)
        if held or asked:
            rows.append((name, role_words(held), role_words(asked)))
    return rows


def role_words(roles: Collection[Role]) -> str:
    """Such as "Manager, Practitioner"."""
    return ", ".join(ROLES[role] for role in roles)
