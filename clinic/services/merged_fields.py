"""Whose value of a field stays when two records of a person are put together."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from clinic.store.resources import Patient

FIELDS = (
    "given_name", "family_name", "birth_on", "email", "phone", "language", "channel", "wants_service_messages",
    "marketing_consent_at", "only_times", "rather_times", "alerts",
)
KEPT, OTHER, BOTH = "kept", "other", "both"
MOST_ALERTS = 500


def differing(kept: Any, other: Any) -> tuple[str, ...]:
    """The fields in which two records differ, in the order of the form."""
    return tuple(field for field in FIELDS if getattr(kept, field) != getattr(other, field))


def usual_choice(field: str, kept: Any, other: Any) -> str:
    """Whose value stays where nobody says otherwise: what is known, and of consent the smaller one.

    Alerts of both stay, for one of them may be an allergy.
    """
    mine, theirs = getattr(kept, field), getattr(other, field)
    if field == "alerts":
        return BOTH if mine and theirs and mine != theirs else KEPT if mine else OTHER
    if field in ("wants_service_messages", "marketing_consent_at"):
        return OTHER if mine and not theirs else KEPT
    if field == "channel":
        return OTHER if mine == "none" else KEPT
    return OTHER if not mine and theirs else KEPT


def chosen_values(kept: Any, other: Any, choices: Mapping[str, str]) -> dict[str, Any]:
    """The values that the kept record has afterwards."""
    return {field: _value(field, kept, other, choices.get(field)) for field in FIELDS}


def new_alerts(before: str, now: str) -> str:
    """The lines of the alerts that were not there before."""
    known = set(before.splitlines())
    return "\n".join(line for line in now.splitlines() if line not in known)


def to_document(values: Patient | Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they are written down."""
    found = {field: values[field] if isinstance(values, Mapping) else getattr(values, field) for field in FIELDS}
    return {field: value.isoformat() if isinstance(value, date | datetime) else value for field, value in found.items()}


def of_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they were written down."""
    found = {field: document[field] for field in FIELDS}
    found["birth_on"] = date.fromisoformat(found["birth_on"]) if found["birth_on"] else None
    at = found["marketing_consent_at"]
    found["marketing_consent_at"] = datetime.fromisoformat(at) if at else None
    return found


def _value(field: str, kept: Any, other: Any, choice: str | None) -> Any:
    mine, theirs = getattr(kept, field), getattr(other, field)
    choice = choice if choice in (KEPT, OTHER, BOTH) else usual_choice(field, kept, other)
    if choice == BOTH and field == "alerts":
        return "\n".join(dict.fromkeys(each for each in (mine, theirs) if each))
    return theirs if choice == OTHER else mine
