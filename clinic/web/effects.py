"""Saying what a change would meet before it is made: the form comes back with it, and its button says so."""
from __future__ import annotations

import hashlib

from flask import request

from clinic.queries.effects import Effect


def is_agreed(effect: Effect) -> bool:
    """Whether nothing is met, or what is met is exactly what was shown when the form was sent again."""
    return effect.appointments == 0 or request.form.get("agreed") == agreement(effect)


def agreement(effect: Effect) -> str:
    """What the second button sends: another one as soon as other appointments are met."""
    told = f"{effect.appointments}/{effect.patients}/" + ",".join(str(row.appointment_id) for row in effect.rows)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
