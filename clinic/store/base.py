"""The base of all rows: names of constraints, and how Python types become columns."""
from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase

from clinic.store.types import Instant

NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Row(DeclarativeBase):
    """A row of the clinic's database. Every datetime is an instant unless its column says otherwise."""

    metadata = sa.MetaData(naming_convention=NAMES)
    type_annotation_map = {
        datetime: Instant,
        date: sa.Date,
        str: sa.Text,
        dict[str, Any]: sa.JSON,
        list[Any]: sa.JSON,
        bytes: sa.LargeBinary,
    }


def one_of(column: str, values: Iterable[str] | type[StrEnum]) -> sa.CheckConstraint:
    """The column holds one of these codes."""
    return sa.CheckConstraint(f"{column} IN ({listed(values)})", name=column)


def listed(values: Iterable[str] | type[StrEnum]) -> str:
    """Codes as a constraint lists them."""
    return ", ".join(f"'{value}'" for value in values)
