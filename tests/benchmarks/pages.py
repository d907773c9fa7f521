"""How long pages take at the server with years of visits: `python -m tests.benchmarks.pages [1 3 5] [--only WORD]`.

A clinic of twenty practitioners is written into a new SQLite file and a new PostgreSQL database, see `years.py`. It
grows to each number of years (1, 3 and 5 where none is named), always with the same today, and its pages are asked
through the app itself: everything from the request to the answer is counted, as it is in the middle of a day. Beside
the median stand the processor's time of this process, the statements, and the bytes before compression. It takes six
minutes on two quiet cores, of which half fill the databases, and ends with a table of each. A page more is a line of
PAGES more.
"""
from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from statistics import median

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from clinic.app import Kit, settle
from clinic.settings import Settings
from clinic.store.accounts import Account
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing, open_engine
from clinic.store.migrate import upgrade
from tests.benchmarks.diary import postgresql_url, sqlite_url
from tests.benchmarks.years import NOW, TODAY, Years, add_years, fill_years
from tests.queries.statements import counted
from tests.web import seed
from tests.web.apps import new_app
from tests.web.conftest import sign_in, token

WARM = 12
"""How often a page is asked before it is timed: by then PostgreSQL has planned its statements for good. What a
connection asks for the sixth time is prepared, and what is prepared is planned anew another five times."""
TIMES = 11
GROWS = 1.2
"""How many times as long a page may take with five years as with one."""


class Site:
    """A filled clinic behind the app, with a manager at its desk; `names` are what addresses are completed with."""

    def __init__(self, engine: Engine, years: Years, folder: Path) -> None:
        with Session(for_writing(engine)) as db:
            db.execute(sa.update(Account).values(password_hash=seed.PASSWORD_HASH))
            db.commit()
        settings = Settings(folder, str(engine.url), "k" * 64, "http://localhost")
        self.engine, self.years = engine, years
        self.browser: FlaskClient = new_app(Kit(settings, engine, lambda: NOW, None)).test_client()
        sign_in(self.browser, "manager@harbour.example")
        settle()
        self._token = token(self.browser, self.browser.get("/setup/rooms/new").get_data(as_text=True))
        self.names = {
            "patient": years.patient_id, "course": years.course_id, "visit": years.open_visit_id,
            "practitioner": years.made.practitioners[0], "newcomer": years.made.patients[0], "today": TODAY,
            "version": years.made.versions["mn_rejuvenation"], "coming": self._coming()}

    def ask(self, page: Page) -> Callable[[], TestResponse]:
        """Asks for the page as a browser would, again and again."""
        address = page.address.format(**self.names)
        if page.fields:
            sent = {name: text.format(**self.names) for name, text in page.fields.items()}
            return lambda: self.browser.post(address, data={"csrf_token": self._token, **sent})
        if not page.again:
            return lambda: self.browser.get(address)
        shown = self.browser.get(address).get_data(as_text=True)
        version, source = (unescape(found(rf'data-{name}="([^"]+)"', shown)) for name in ("version", "source"))
        headers = {"X-Fragment": "1", "If-None-Match": f'"{version}"'}
        return lambda: self.browser.get(source, headers=headers)

    def _coming(self) -> int:
        """The next visit of the course that is shown."""
        with Session(self.engine) as db:
            return db.scalars(sa.select(Appointment.id).where(
                Appointment.patient_id == self.years.patient_id, Appointment.state == "booked",
                Appointment.kind == "session").order_by(Appointment.starts_at)).first() or 0


@dataclass(frozen=True)
class Page:
    """A page, and how many milliseconds it may take; with `fields` a form asks for it, `again` is asked for once more
    when nothing has changed."""

    name: str
    most: float
    address: str
    fields: dict[str, str] | None = None
    again: bool = False


_NEW_COURSE = {
    "patient": "{newcomer}", "protocol": "mn_rejuvenation", "version": "{version}", "indication": "fine_lines",
    "laxity": "none", "none_apply": "yes", "sessions": "4", "practitioner": "", "not_before": "{today}"}
PAGES = (
    Page("today", 60, "/"),
    Page("diary, a day of all practitioners", 40, "/diary?show=day&by=practitioner&day={today}"),
    Page("diary, nothing new since", 10, "/diary?show=day&by=practitioner&day={today}", again=True),
    Page("diary, a day of all rooms", 40, "/diary?show=day&by=room&day={today}"),
    Page("diary, a day of all devices", 40, "/diary?show=day&by=device&day={today}"),
    Page("diary, a day as a list", 40, "/diary?show=list&by=practitioner&day={today}"),
    Page("diary, a week of all", 80, "/diary?show=week&of=&day={today}"),
    Page("diary, a week of one", 80, "/diary?show=week&of={practitioner}&day={today}"),
    Page("patient", 30, "/patients/{patient}"),
    Page("course", 30, "/courses/{course}"),
    Page("patients", 60, "/patients"),
    Page("search as you type, a part of a name", 30, "/patients?q=nov"),
    Page("search as you type, two words", 30, "/patients?q=ana+silva-1"),
    Page("search as you type, digits of a phone", 30, "/patients?q=900123"),
    Page("booking panel, search as you type", 30, "/diary/book/patients?q=nov"),
    Page("booking panel, what fits", 80, "/diary/book?at={today}T16:00&with={practitioner}&patient={patient}"),
    Page("booking panel, protocols that fit", 80, "/diary/book/course?at={today}T16:00&patient={newcomer}"),
    Page("sessions without a date", 60, "/to-plan"),
    Page("all of them, those with time as well", 60, "/to-plan?show=all"),
    Page("tasks and visits left open", 60, "/tasks"),
    Page("tasks that are done", 60, "/tasks?show=done"),
    Page("people to tell", 60, "/people-to-tell"),
    Page("messages", 60, "/messages"),
    Page("messages that were sent", 60, "/messages?state=sent"),
    Page("messages to those of a name", 60, "/messages?q=novak-7"),
    Page("messages of one kind", 60, "/messages?kind=aftercare"),
    Page("check-out", 60, "/appointments/{visit}/check-out"),
    Page("other times, a week", 60, "/appointments/{coming}/move"),
    Page("new course: the questions", 60, "/courses/new?patient={newcomer}&protocol=mn_rejuvenation"),
    Page("new course: the plans", 150, "/courses/new/plans", _NEW_COURSE),
    Page("new course: the plans as one types", 150, "/courses/new/look", _NEW_COURSE),
    Page("new course: an event to be ready for", 150, "/courses/new/look", {**_NEW_COURSE, "event_on": "2027-12-01"}),
    Page("figures of three months", 300, "/figures"),
)


@dataclass(frozen=True)
class Figures:
    """What a page took: milliseconds by the clock and of the processor, statements, and bytes."""

    milliseconds: float
    processor: float
    statements: int
    bytes: int


def measured(site: Site, page: Page, times: int = TIMES, warm: int = WARM) -> Figures:
    """The medians of so many requests after some that are not counted."""
    ask = site.ask(page)
    for _ in range(warm):
        answer = ask()
        assert answer.status_code in (200, 304), (page.name, answer.status_code, answer.location)
    with counted(site.engine) as said:
        ask()
    clock, processor = [], []
    for _ in range(times):
        begun, used = time.perf_counter(), time.process_time()
        ask()
        clock.append((time.perf_counter() - begun) * 1000)
        processor.append((time.process_time() - used) * 1000)
    selects = sum(each.lstrip("( ").startswith(("SELECT", "WITH")) for each in said)
    return Figures(median(clock), median(processor), selects, len(answer.data))


def found(pattern: str, html: str) -> str:
    """What the first group of the pattern matches."""
    match = re.search(pattern, html)
    assert match is not None, pattern
    return match[1]


def main(asked: Iterable[str]) -> None:
    """Prints a line for each page and database, the years side by side; ends with status 1 where a target is missed."""
    words = [*asked]
    only = words.pop(words.index("--only") + 1) if "--only" in words else ""
    sizes = sorted({int(each) for each in words if each.isdigit()} or {1, 3, 5})
    pages = [page for page in PAGES if only in page.name]
    found: dict[str, dict[str, list[Figures]]] = {}
    for name, address in (("SQLite", sqlite_url), ("PostgreSQL", postgresql_url)):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            engine = open_engine(stack.enter_context(address()), durable=False)
            stack.callback(engine.dispose)
            found[name] = _grown(name, engine, folder, sizes, pages)
    missed = False
    for name, rows in found.items():
        heads = " | ".join(["page", *(f"{size} year{'s' if size > 1 else ''}" for size in sizes), *_HEADS])
        sys.stdout.write(f"\n{name}, milliseconds\n\n| {heads} |\n{'| --- ' * (len(sizes) + 1 + len(_HEADS))}|\n")
        for page in pages:
            missed |= not _told(page, rows[page.name])
    sys.exit(1 if missed else 0)


def _grown(
    name: str, engine: Engine, folder: Path, sizes: Sequence[int], pages: Sequence[Page]
) -> dict[str, list[Figures]]:
    """What each page takes with the years that are behind the clinic as it grows."""
    upgrade(engine)
    rows: dict[str, list[Figures]] = {page.name: [] for page in pages}
    years = None
    for size in sizes:
        begun = time.perf_counter()
        years = add_years(engine, years, size) if years else fill_years(engine, size)
        filled = time.perf_counter()
        site = Site(engine, years, folder)
        for page in pages:
            rows[page.name].append(measured(site, page))
        sys.stdout.write(
            f"{name}, {size} years: {years.appointments} visits, {years.patients} patients, filled in "
            f"{filled - begun:.0f} s, timed in {time.perf_counter() - filled:.0f} s\n")
        sys.stdout.flush()
    return rows


_HEADS = ("processor", "statements", "kB", "target")


def _told(page: Page, took: list[Figures]) -> bool:
    last, grown = took[-1], took[-1].milliseconds / took[0].milliseconds
    missed = [word for word, is_met in (
        ("missed", last.milliseconds <= page.most), (f"grows {grown:.2f}", grown <= GROWS),
        ("more statements", len({each.statements for each in took}) == 1)) if not is_met]
    clock = " | ".join(f"{each.milliseconds:.1f}" for each in took)
    statements = "/".join(str(number) for number in dict.fromkeys(each.statements for each in took))
    target = f"{page.most:.0f}" + (f": {', '.join(missed)}" if missed else "")
    sys.stdout.write(
        f"| {page.name} | {clock} | {last.processor:.1f} | {statements} | {last.bytes // 1024} | {target} |\n")
    sys.stdout.flush()
    return not missed


if __name__ == "__main__":
    os.environ.pop("FLASK_DEBUG", None)
    main(sys.argv[1:])
