"""The composition root: what web, worker and command line are given to work with."""
from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Event, Thread

from sqlalchemy.engine import Engine
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from clinic.clock import system_clock
from clinic.messages.smtp import Security, SmtpSettings, SmtpTransport
from clinic.messages.transport import Transport
from clinic.services.work import Actor, NotFound, UnitOfWork
from clinic.settings import Settings
from clinic.store.engine import open_engine

PostOffice = Callable[[], Transport]
"""Makes a way out for messages; each thread that sends asks for its own."""


@dataclass(frozen=True, slots=True)
class Kit:
    """The settings, the database, the clock and the way out for messages (none: they stay pending)."""

    settings: Settings
    engine: Engine
    clock: Callable[[], datetime]
    post_office: PostOffice | None

    def work(self, actor: Actor) -> UnitOfWork:
        """A unit of work that may write."""
        return UnitOfWork(self.engine, self.clock, actor)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads; every page is filled from one. Raises NotFound for a row that is not there."""
        try:
            with Session(self.engine) as db:
                yield db
        except NoResultFound as error:
            raise NotFound(str(error)) from error


def build(
    settings: Settings, *, clock: Callable[[], datetime] = system_clock, post_office: PostOffice | None = None
) -> Kit:
    """The kit of these settings; a post office given here (the demo's mailbox) goes before SMTP."""
    if settings.database_url.startswith("sqlite"):
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Kit(settings, open_engine(settings.database_url), clock, post_office or _smtp(settings))


def _smtp(settings: Settings) -> PostOffice | None:
    if settings.smtp_host is None:
        return None
    return partial(SmtpTransport, SmtpSettings(
        settings.smtp_host, settings.smtp_port, Security(settings.smtp_tls),
        settings.smtp_user, settings.smtp_password,
    ))


def settle() -> None:
    """From now on only what requests make is looked through for what may be thrown away: what is loaded stays.

    A page that reads thousands of rows would else have all modules, routes and templates looked through several times.
    """
    gc.collect()
    gc.freeze()


def serve_pages(
    kit: Kit, host: str, port: int, *, with_worker: bool, ready: Callable[[], None] = lambda: None
) -> None:
    """Serves the pages until SIGTERM or SIGINT, and sends messages from the same process where asked.

    `ready` is called once the port answers. Requests under way are answered and the message in hand is finished
    first. OSError where the port is taken.
    """
    # The web and the worker are loaded by whoever runs them: a command that only migrates needs neither.
    from waitress import create_server

    from clinic.web import create_app
    from clinic.worker import Worker

    app = create_app(kit)
    settle()
    server = create_server(app, host=host, port=port, threads=8, ident=None)
    worker = Worker(kit) if with_worker else None
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if worker is not None:
        worker.start()
    pages = Thread(target=server.run, daemon=True)
    pages.start()
    ready()
    # A wait without a limit cannot be interrupted by a signal on every platform.
    while pages.is_alive() and not stop.wait(1):
        pass
    server.close()
    server.task_dispatcher.shutdown()
    if worker is not None:
        worker.stop()
