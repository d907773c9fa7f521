"""Rows, and the statements that need a lock or a claim. Importing the room maps every table."""
from clinic.store import (
    accounts,
    clinics,
    courses,
    diary,
    links,
    moving,
    newsletter,
    occupancy,
    outbox,
    protocols,
    resources,
)
from clinic.store.base import Row

__all__ = [
    "Row", "accounts", "clinics", "courses", "diary", "links", "moving", "newsletter", "occupancy", "outbox",
    "protocols", "resources",
]
