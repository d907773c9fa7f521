"""The ticks of a worker. APScheduler only beats the time: nothing that must not be lost is kept in it.

Every tick asks the database what there is to do and may run twice or in parallel; a lost one costs seconds.
"""
from __future__ import annotations

import logging
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from datetime import UTC, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from clinic.services.bounce_folder import take_from
from clinic.services.delivery import Courier, Patience, rescue
from clinic.services.digests import owe_digests
from clinic.services.overdue import ask_to_call
from clinic.services.publishing import publish
from clinic.services.reconcile import settle_expired, sweep
from clinic.services.workers import (
    Kit,
    agree_on_mail,
    beat,
    clean_up,
    enlist,
    free_holds,
    leave,
    note_folder,
    note_sweep,
    note_trouble,
    return_path_of,
    tidy_diary,
    work_of,
)
from clinic.services.zones import follow_zones

_log = logging.getLogger(__name__)
# A tick that is still at work when the next is due is usual, and would fill the log with warnings.
_scheduler_log = logging.getLogger(f"{__name__}.scheduler")
_scheduler_log.setLevel(logging.ERROR)


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
    first_rest: float = 5
    longest_rest: float = 300
    batch: int = 50
    patience: Patience = Patience()
    budget: float = 660.0
    lease_for: timedelta = timedelta(seconds=1080)


USUAL = Pace()


class Worker:
    """One worker in threads of this process; any number may run, on any machine that reaches the database."""

    def __init__(self, kit: Kit, pace: Pace = USUAL) -> None:
        self.id = f"{socket.gethostname()}-{secrets.token_hex(8)}"
        self._work = work_of(kit)
        self._pace = pace
        self._stopping = threading.Event()
        self._courier = None if kit.post_office is None else Courier(
            self._work, kit.post_office(), self.id, budget=pace.budget, lease_for=pace.lease_for,
            per_minute=kit.settings.smtp_per_minute, patience=pace.patience, base_url=kit.settings.base_url,
            return_path=return_path_of(kit.settings))
        self._bounce_folder = kit.settings.bounce_folder
        self._folder_trouble: str | None = None
        self._rest = 0.0
        self._rests_until = 0.0
        self._has_lost_track = False
        # Delivery has a thread of its own: one connection to the mail server belongs to one thread.
        self._scheduler = BackgroundScheduler(
            timezone=UTC, logger=_scheduler_log,
            executors={"default": ThreadPoolExecutor(4), "delivery": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600},
        )

    def start(self) -> None:
        """Sign on and begin to tick."""
        with self._work() as work:
            enlist(work, self.id, socket.gethostname())
        self.agree()
        ticks = [(self.beat, self._pace.beat), (self.rescue, self._pace.rescue), (self.owe, self._pace.owe),
                 (self.publish, self._pace.publish), (self.follow_zones, self._pace.zones),
                 (self.free_holds, self._pace.hold), (self.agree, self._pace.owe), (self.clean, self._pace.clean)]
        for tick, seconds in ticks:
            self._scheduler.add_job(tick, "interval", seconds=seconds, id=tick.__name__)
        if self._bounce_folder is not None:
            self._scheduler.add_job(self.take_bounces, "interval", seconds=self._pace.take, id="take_bounces")
        if self._courier is not None:
            self._scheduler.add_job(
                self.deliver, "interval", seconds=self._pace.deliver, id="deliver", executor="delivery")
        # The first rounds do not wait: a worker that starts after a crash or a restore has work already.
        self._scheduler.add_job(self.rescue)
        # Before anything is owed: who starts with other zone data than before may find every visit at another instant.
        self._scheduler.add_job(self.follow_zones)
        self._scheduler.add_job(self.owe)
        self._scheduler.start()
        _log.info("worker-started", extra={"facts": {"worker_id": self.id}})

    def stop(self) -> None:
        """Finish the message in hand, stop ticking and sign off."""
        self._stopping.set()
        self._scheduler.shutdown(wait=True)
        with self._work() as work:
            leave(work, self.id)
        _log.info("worker-stopped", extra={"facts": {"worker_id": self.id}})

    def beat(self) -> None:
        """Show that this worker lives."""
        with self._work() as work:
            beat(work, self.id)

    def rescue(self) -> None:
        """Take over what dead workers held."""
        with self._work() as work:
            rescue(work, worker_id=self.id, patience=self._pace.patience)

    def owe(self) -> None:
        """Ask again what every course and maintenance plan owes, settle what has passed its use, and have people call
        where asking by mail has come to its end."""
        with self._work() as work:
            settle_expired(work)
        after = None
        while not self._stopping.is_set():
            with self._work() as work:
                after = sweep(work, after=after, limit=self._pace.batch)
            if after is None:
                with self._work() as work:
                    note_sweep(work, self.id)
                break
        with self._work() as work:
            ask_to_call(work)
        with self._work() as work:
            owe_digests(work)

    def follow_zones(self) -> None:
        """Let visits to come keep their local time where the rules of their zone have changed."""
        with self._work() as work:
            found = follow_zones(work)
        if found:
            _log.warning("zones-followed", extra={"facts": {
                "visits": len(found), "needing_a_person": sum(each.needs_a_person for each in found)}})

    def publish(self) -> None:
        """Write down the next readers of the editions that go out."""
        with self._work() as work:
            publish(work)

    def take_bounces(self) -> None:
        """Take the next reports from the folder of what came back."""
        if self._bounce_folder is None:
            return
        found = take_from(self._work, self._bounce_folder, stopping=self._stopping.is_set)
        if found.trouble != self._folder_trouble:
            with self._work() as work:
                note_folder(work, self.id, found.trouble)
            self._folder_trouble = found.trouble
            _log.warning("bounce-folder", extra={"facts": {"trouble": found.trouble}})

    def agree(self) -> None:
        """Switch mail on or off as this worker can or cannot send it."""
        with self._work() as work:
            agree_on_mail(work, has_post_office=self._courier is not None)

    def free_holds(self) -> None:
        """End the holds that have run out, and put what was booked past every service into the packed diary."""
        with self._work() as work:
            free_holds(work)
            tidy_diary(work)

    def clean(self) -> None:
        """Clear away what has run out."""
        with self._work() as work:
            clean_up(work)

    def deliver(self) -> None:
        """Deliver what is due, until nothing is; after trouble with the mail server rest, each time longer.

        The first message after a rest is a question: while it ends in trouble too, no other is tried.
        """
        if self._courier is None or time.monotonic() < self._rests_until:
            return
        if self._has_lost_track:
            self._take_back()
        self._has_lost_track = True
        self._deliver_all(self._courier)
        self._has_lost_track = False

    def _deliver_all(self, courier: Courier) -> None:
        while not self._stopping.is_set():
            found = courier.deliver_due(self._pace.batch, stopping=self._stopping.is_set)
            if found.trouble is not None:
                self._rest_from(found.trouble, made_progress=found.done > 0)
                return
            if self._rest:
                self._rest = 0.0
                self._tell(None)
            if found.done == 0:
                return

    def _rest_from(self, trouble: str, *, made_progress: bool) -> None:
        before = 0.0 if made_progress else self._rest
        self._rest = min(max(2 * before, self._pace.first_rest), self._pace.longest_rest)
        self._rests_until = time.monotonic() + self._rest
        self._tell(trouble)
        _log.warning("mail-server-in-trouble", extra={"facts": {"rests_for": self._rest}})

    def _tell(self, trouble: str | None) -> None:
        with self._work() as work:
            note_trouble(work, self.id, trouble)

    def _take_back(self) -> None:
        """An error, such as of a database that went away, ended the last round: what was in hand is free again."""
        with self._work() as work:
            rescue(work, worker_id=self.id, patience=self._pace.patience, is_sending=False)
