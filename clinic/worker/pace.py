"""How often a worker does what, and how patient it is."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from clinic.services.delivery import Patience


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two ticks of each kind; after trouble with the mail server, from the first rest to the longest;
    and the patience with messages. A lease outlives `budget`, which must be left of it when the dot is sent."""

    deliver: float = 2
    rescue: float = 15
    beat: float = 10
    hold: float = 30
    owe: float = 60
    publish: float = 5
    take: float = 15
    zones: float = 86_400
    clean: float = 3600
    watch: float = 1
    first_rest: float = 5
    longest_rest: float = 300
    batch: int = 50
    patience: Patience = Patience()
    budget: float = 660.0
    lease_for: timedelta = timedelta(seconds=1080)


USUAL = Pace()
