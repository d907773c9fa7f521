"""Naming a clinic's zone, where times of several zones could be taken for each other."""
from __future__ import annotations

from zoneinfo import ZoneInfo

from clinic.web.entry import here


def zone_words(where: ZoneInfo) -> str:
    """Such as "Lisbon time", where the account's clinics lie in several zones; empty where all share one."""
    if {clinic.zone.key for clinic in here().clinics} <= {where.key}:
        return ""
    return f"{where.key.rpartition('/')[2].replace('_', ' ')} time"
