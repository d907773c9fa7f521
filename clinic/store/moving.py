"""What moving in and putting together leave behind: which rows came from which file, and who was merged into whom."""
from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.store.base import Row


class Imported(Row):
    """A row that came from a file: of that kind, under that reference, saying what has this digest.

    So a file that is read again adds nothing twice, and later files can name what earlier ones brought.
    """

    __tablename__ = "imported"
    kind: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(primary_key=True)
    row_id: Mapped[int]
    digest: Mapped[str]


class PatientMerge(Row):
    """Two records of one person put together; `moved` names every row that changed hands, so that it can be undone."""

    __tablename__ = "patient_merge"
    __table_args__ = (sa.CheckConstraint("kept_id <> merged_id", name="two"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    kept_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    merged_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    moved: Mapped[dict[str, Any]]
    undone_at: Mapped[datetime | None]
