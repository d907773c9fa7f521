"""The ticks of a worker. APScheduler only beats the time: nothing that must not be lost is kept in it.

Every tick asks the database what there is to do and may run twice or in parallel; a lost one costs seconds.
"""
from __future__ import annotations

import logging
import secrets
import socket
import threading
import time
from datetime import UTC, timedelta
from functools import partial

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from clinic.clock import system_clock
from clinic.services.bounce_folder import take_from
from clinic.services.delivery import Courier, rescue
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
    is_swept,
    leave,
    note_folder,
    note_sweep,
    return_path_of,
    tidy_diary,
    work_of,
)
from clinic.services.zones import follow_zones
from clinic.worker.deliveries import Deliveries
from clinic.worker.pace import USUAL, Pace

_log = logging.getLogger(__name__)
# A tick that is still at work when the next is due is usual, and would fill the log with warnings.
_scheduler_log = logging.getLogger(f"{__name__}.scheduler")
_scheduler_log.setLevel(logging.ERROR)
_CLOCK_WAS_SET = 5.0
"""By so many seconds the clock of a machine does not stray by itself between two looks."""


class Worker:
    """One worker in threads of this process; any number may run, on any machine that reaches the database."""

    def __init__(self, kit: Kit, pace: Pace = USUAL) -> None:
        self._host = socket.gethostname()
        self.id = f"{self._host}-{secrets.token_hex(8)}"
        self._work = work_of(kit)
        self._pace = pace
        self._stopping = threading.Event()
        self._deliveries = None if kit.post_office is None else Deliveries(
            partial(self._courier, kit), self._work, self.id, pace, self._stopping)
        self._bounce_folder = kit.settings.bounce_folder
        self._folder_trouble: str | None = None
        # Delivery has a thread of its own: its rounds may take as long as they need.
        self._scheduler = BackgroundScheduler(
            timezone=UTC, logger=_scheduler_log,
            executors={"default": ThreadPoolExecutor(4), "delivery": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600},
        )

    def start(self) -> None:
        """Sign on and begin to tick."""
        with self._work() as work:
            enlist(work, self.id, self._host)
        self.agree()
        ticks = [(self.beat, self._pace.beat), (self.rescue, self._pace.rescue), (self.owe, self._pace.owe),
                 (self.publish, self._pace.publish), (self.follow_zones, self._pace.zones),
                 (self.free_holds, self._pace.hold), (self.agree, self._pace.owe), (self.clean, self._pace.clean)]
        if self._bounce_folder is not None:
            ticks.append((self.take_bounces, self._pace.take))
        if self._deliveries is not None:
            ticks.append((self.deliver, self._pace.deliver))
        for tick, seconds in ticks:
            self._scheduler.add_job(
                tick, "interval", seconds=seconds, id=tick.__name__,
                executor="delivery" if tick == self.deliver else "default",
                # A worker that starts after a crash, a restore or an update of the zone data has work already.
                **{"next_run_time": system_clock()} if tick in (self.rescue, self.follow_zones, self.owe) else {})
        self._scheduler.start()
        threading.Thread(target=self._mind_the_clock, name="clock", daemon=True).start()
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
            beat(work, self.id, self._host)

    def rescue(self) -> None:
        """Take over what dead workers held."""
        with self._work() as work:
            rescue(work, worker_id=self.id, patience=self._pace.patience)

    def owe(self) -> None:
        """Ask again what every course and maintenance plan owes, settle what has passed its use, and have people call
        where asking by mail has come to its end."""
        with self._work() as work:
            settle_expired(work)
        self._sweep()
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
            agree_on_mail(work, has_post_office=self._deliveries is not None)

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
        """Deliver what is due."""
        if self._deliveries is not None:
            self._deliveries.tick()

    def _sweep(self) -> None:
        """Look at every course, unless another worker just did: any number of workers are to cost no more than two."""
        with self._work() as work:
            if is_swept(work, within=timedelta(seconds=self._pace.owe / 2), asked_by=self.id):
                return
        after = None
        while not self._stopping.is_set():
            with self._work() as work:
                after = sweep(work, after=after, limit=self._pace.batch)
            if after is None:
                with self._work() as work:
                    note_sweep(work, self.id)
                return

    def _courier(self, kit: Kit) -> Courier:
        assert kit.post_office is not None  # or there are no deliveries
        return Courier(
            self._work, kit.post_office(), self.id, budget=self._pace.budget, lease_for=self._pace.lease_for,
            per_minute=kit.settings.smtp_per_minute, patience=self._pace.patience, base_url=kit.settings.base_url,
            return_path=return_path_of(kit.settings))

    def _mind_the_clock(self) -> None:
        """Where the machine's clock is set, every tick comes at once: one that was to come at a time of day that is
        hours away now, for the clock was set back, would leave the worker silent until then."""
        ahead = _ahead()
        while not self._stopping.wait(self._pace.watch):
            if abs(_ahead() - ahead) > _CLOCK_WAS_SET:
                ahead = _ahead()
                for job in self._scheduler.get_jobs():
                    job.modify(next_run_time=system_clock())
                _log.warning("clock-was-set", extra={"facts": {"worker_id": self.id}})


def _ahead() -> float:
    """How far the clock of the machine is ahead of one that nobody can set."""
    return system_clock().timestamp() - time.monotonic()
