"""The worker: it keeps messages in step with what is owed and sends them when they are due."""
from __future__ import annotations

from clinic.worker.metronome import Worker
from clinic.worker.pace import Pace
from clinic.worker.process import run

__all__ = ["Pace", "Worker", "run"]
