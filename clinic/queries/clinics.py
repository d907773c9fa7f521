"""The clinics of the business, as commands and set-up ask for them."""
from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.store.clinics import Clinic


def clinic_ids_by_name(db: Session) -> dict[str, int]:
    """Every clinic's id by its name."""
    return dict(db.execute(sa.select(Clinic.name, Clinic.id).order_by(Clinic.id)).all())
