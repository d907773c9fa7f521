"""What of the database is taken along when a clinic leaves, and what stays behind and why."""
from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from clinic.interchange.archive import ArchiveColumn, ArchiveTable
from clinic.interchange.archive_values import Kind
from clinic.services.passwords import NO_PASSWORD
from clinic.store.base import Row
from clinic.store.types import Instant

EXPORTED: Final = frozenset({
    "absence", "account", "account_role", "appointment", "audit", "bounce", "business", "certificate", "clinic",
    "clinic_text", "clinical_note", "closure", "contact_attempt", "course", "course_override", "device", "edition",
    "edition_text", "handover_note", "imported", "maintenance_plan", "message", "message_attempt", "message_item",
    "message_rule", "opening_hours", "patient", "patient_merge", "practitioner", "protocol", "protocol_version",
    "qualification", "recall", "recall_attempt", "resource", "resource_booking", "room", "rota", "rota_day",
    "rota_span", "running_late", "screening", "subscriber", "task", "translation_approval", "travel_time", "treatment",
    "treatment_session",
})
"""A new table belongs here or below; a test asks which."""

LEFT_BEHIND: Final[Mapping[str, str]] = {
    "browser_session": "who is signed in here",
    "idempotency_key": "forms that were sent here within a day",
    "link": "what the links in messages open here; a patient is sent a new one, and those that stop the newsletter are "
            "made again from what its messages keep",
    "occupancy": "says again what resource_booking says; the database rebuilds it",
    "occupancy_change": "says again what resource_booking says; the database rebuilds it",
    "patient_browser": "which patients look at their pages just now",
    "sign_in_attempt": "who failed to sign in here",
    "worker": "processes of this installation",
}

COLUMNS_LEFT_BEHIND: Final[Mapping[str, Mapping[str, object]]] = {
    "account": {"password_hash": NO_PASSWORD},
    "business": {"mail_on_since": None, "held_since": None},
    "message": {"lease_token": None, "lease_until": None, "worker_id": None},
}
"""Secrets, and what is true of this installation only, with what a row has instead when it is brought back."""

OF_THIS_INSTALLATION: Final = "installation"
"""The subject of audit entries about the data as a whole, such as an export: they stay where it happened."""

_KINDS: tuple[tuple[type[Any], Kind], ...] = (
    (Instant, "instant"), (sa.DateTime, "local"), (sa.Date, "date"), (sa.Boolean, "boolean"), (sa.Integer, "integer"),
    (sa.Text, "text"), (sa.JSON, "json"), (sa.LargeBinary, "bytes"),
)


@cache
def exported_tables() -> tuple[sa.Table, ...]:
    """The tables that are taken along, each after those that its rows point to."""
    return tuple(table for table in Row.metadata.sorted_tables if table.name in EXPORTED)


def exported_columns(table: sa.Table) -> list[sa.Column[object]]:
    """The columns of a table that are taken along, in their order."""
    left = COLUMNS_LEFT_BEHIND.get(table.name, {})
    return [column for column in table.columns if column.name not in left]


@cache
def as_archive(table: sa.Table) -> ArchiveTable:
    """The table as its file has it."""
    columns = tuple(
        ArchiveColumn(column.name, _kind_of(column), bool(column.nullable)) for column in exported_columns(table))
    return ArchiveTable(table.name, columns, _words()[table.name])


def _kind_of(column: sa.Column[object]) -> Kind:
    for type_, kind in _KINDS:
        if isinstance(column.type, type_):
            return kind
    raise TypeError(f"no way to write {column} is known")


@cache
def _words() -> Mapping[str, str]:
    """What a row of each table is: the first sentence that its class says of itself."""
    return {mapper.local_table.name: (mapper.class_.__doc__ or "").split(". ")[0].split("\n")[0].rstrip(".")
            for mapper in Row.registry.mappers if isinstance(mapper.local_table, sa.Table)}
