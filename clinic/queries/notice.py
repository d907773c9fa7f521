"""Since when it is known that a patient does not come: from when they asked for it on their page, if they did."""
from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from clinic.queries.my_answers import has_moved_since_asked
from clinic.store.accounts import Task


def asked_off_at(visit: Any) -> sa.ScalarSelect[datetime]:
    """When the patient asked to cancel a visit, given its columns: of one that is cancelled now, the first request that
    this did as they wished. None where they did not ask, where the answer had been that it stays, and where they asked
    of the time that it had before."""
    return sa.select(sa.func.min(Task.created_at)).where(
        # By its patient, for of a visit's requests there is no index.
        Task.patient_id == visit.patient_id, Task.appointment_id == visit.id, Task.kind == "cancel",
        Task.created_at <= visit.closed_at, sa.or_(Task.done_at.is_(None), Task.done_at >= visit.closed_at),
        ~has_moved_since_asked()).scalar_subquery()
