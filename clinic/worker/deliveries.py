"""What one worker delivers: round by round, with a rest after trouble, and anew where a round does not come back."""
from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

from clinic.services.delivery import Courier, Round, rescue
from clinic.services.work import UnitOfWork
from clinic.services.workers import note_trouble
from clinic.worker.pace import Pace

_log = logging.getLogger(__name__)
_MARGIN = 1.25


class Deliveries:
    """Rounds one after the other. `courier` makes who goes them, with a connection to the mail server of its own."""

    def __init__(
        self, courier: Callable[[], Courier], work: Callable[[], UnitOfWork], worker_id: str, pace: Pace,
        stopping: threading.Event,
    ) -> None:
        self._make_courier, self._courier = courier, courier()
        self._work, self._worker_id = work, worker_id
        self._pace, self._stopping = pace, stopping
        self._rest = 0.0
        self._rests_until = 0.0
        self._shows_trouble = False
        self._has_lost_track = False

    def tick(self) -> None:
        """Deliver what is due, until nothing is; after trouble with the mail server rest, each time longer.

        The first message after a rest is a question: while it ends in trouble too, no other is tried.
        """
        if time.monotonic() < self._rests_until:
            return
        if self._has_lost_track:
            self._take_back()
        self._has_lost_track = True
        self._go_rounds()
        self._has_lost_track = False

    def _go_rounds(self) -> None:
        while not self._stopping.is_set():
            found = self._go_round()
            if found is None:
                return
            if found.trouble is not None:
                self._rest_from(found.trouble, made_progress=found.is_answered)
                return
            if found.is_answered:
                self._rest = 0.0
            if self._shows_trouble and not self._rest:
                self._tell(None)
                self._shows_trouble = False  # not before: the database may be away when this is to be said
            if found.done == 0:
                return

    def _go_round(self) -> Round | None:
        """One round, in a thread of its own: one that hangs is left behind, and the next one begins anew.

        What it had in hand is taken over like that of a dead worker, for its lease has run out.
        """
        leg = _Leg(self._courier, self._pace.batch, self._stopping)
        thread = threading.Thread(target=leg.run, name="delivery", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(self._pace.watch)
            if leg.has_stood_for() > _MARGIN * self._pace.lease_for.total_seconds():
                leg.is_left_behind = True
                self._courier = self._make_courier()
                _log.error("delivery-hangs", extra={"facts": {"worker_id": self._worker_id}})
                return None
        return leg.result()

    def _rest_from(self, trouble: str, *, made_progress: bool) -> None:
        before = 0.0 if made_progress else self._rest
        self._rest = min(max(2 * before, self._pace.first_rest), self._pace.longest_rest)
        # Spread, so that workers which met the same trouble do not come back together.
        self._rests_until = time.monotonic() + self._rest * (0.75 + random.random() / 2)
        self._shows_trouble = True
        self._tell(trouble)
        _log.warning("mail-server-in-trouble", extra={"facts": {"rests_for": self._rest}})

    def _tell(self, trouble: str | None) -> None:
        with self._work() as work:
            note_trouble(work, self._worker_id, trouble)

    def _take_back(self) -> None:
        """An error, such as of a database that went away, ended the last round: what was in hand is free again."""
        with self._work() as work:
            rescue(work, worker_id=self._worker_id, patience=self._pace.patience, is_sending=False)


class _Leg:
    """One round on its way, which shows before each message that it goes on."""

    def __init__(self, courier: Courier, most: int, stopping: threading.Event) -> None:
        self._courier, self._most, self._stopping = courier, most, stopping
        self._moved_at = time.monotonic()
        self._found: Round | None = None
        self._error: Exception | None = None
        self.is_left_behind = False

    def run(self) -> None:
        try:
            self._found = self._courier.deliver_due(self._most, stopping=self._is_to_end)
        except Exception as error:  # whoever waits for this thread raises it
            self._error = error

    def has_stood_for(self) -> float:
        return time.monotonic() - self._moved_at

    def result(self) -> Round | None:
        if self._error is not None:
            raise self._error
        return self._found

    def _is_to_end(self) -> bool:
        self._moved_at = time.monotonic()
        return self.is_left_behind or self._stopping.is_set()
