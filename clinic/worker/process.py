"""A worker as a process of its own."""
from __future__ import annotations

import signal
import threading
from types import FrameType

from clinic.services.workers import Kit
from clinic.worker.metronome import Worker
from clinic.worker.pace import USUAL, Pace


def run(kit: Kit, pace: Pace = USUAL) -> None:
    """Work until SIGTERM or SIGINT; the message in hand is finished first. A second signal ends it at once."""
    asked_to_stop = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        asked_to_stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    worker = Worker(kit, pace)
    worker.start()
    # A wait without a limit cannot be interrupted by a signal on every platform.
    while not asked_to_stop.wait(1.0):
        pass
    worker.stop()
