"""How fast messages go, in one run of some minutes: `python -m tests.benchmarks.messages [--short]`.

Due messages of three kinds lie in a database; real worker processes send them to the mail server of the tests, with
every guard on: claim, lease, recheck, rendering, freezing, phases, mark. Beside them, in the same round, bare `smtplib`
sends the same bytes, prebuilt, over one connection. On SQLite and PostgreSQL, each commit of which waits for the disk;
with the mail server on this machine and a round trip of 10 ms away. Every ratio is taken within one round, and the
median of the rounds is told with the least and the most, since machines are shared.

Then: where the time of one worker goes, and what each tick costs that finds nothing to do among very many messages.
"""
from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import sqlalchemy as sa

from clinic.services.delivery import Courier
from clinic.services.workers import work_of
from clinic.store.clinics import Business
from clinic.store.engine import for_writing
from tests.benchmarks.databases import Database, databases
from tests.benchmarks.mailing import KINDS, ONE_WAY, Run, by_smtplib, by_workers, fill, post, round_trip
from tests.benchmarks.stages import Stages, watched
from tests.benchmarks.waiting import FIRST, Tick, ticks_among
from tests.prove.mail_worker import Place, kit_of

WORKERS = (1, 2, 4)
TARGETS = {1: 0.5, 2: 1.2}
"""How many times as fast as bare `smtplib` so many workers are to be, with the mail server near."""
GROWTH = 1.5
"""How many times as long a tick may take among a hundred times as many messages."""
BARE = "bare smtplib"


@dataclass(frozen=True)
class Size:
    """How much is measured: messages of each kind, rounds, how many messages wait."""

    each: int = 50
    rounds: int = 3
    workers: Sequence[int] = WORKERS
    waiting: Sequence[int] = (FIRST, 10 * FIRST, 100 * FIRST)


SHORT = Size(each=4, rounds=1, workers=(1, 2), waiting=(FIRST,))


@dataclass
class Report:
    """Lines of figures, and which targets were missed."""

    missed: list[str] = field(default_factory=list)

    def say(self, text: str = "") -> None:
        """A line."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def judge(self, what: str, target: str, *, is_met: bool) -> str:
        """What is said of a figure beside its target."""
        if not is_met:
            self.missed.append(what)
        return f"   {target}: {'met' if is_met else 'MISSED'}"


def sending(report: Report, database: Database, url: str, size: Size, one_way: float) -> None:
    """Workers beside bare `smtplib`, so many rounds."""
    found: dict[str, list[Run]] = {BARE: []}
    for _ in range(size.rounds):
        for count in size.workers:
            run, mails = by_workers(database, url, count, one_way=one_way)
            found.setdefault(f"{count} worker{'s' if count > 1 else ''}", []).append(run)
        found[BARE].append(by_smtplib(mails, one_way=one_way))
    where = f"a mail server {round_trip(one_way):.1f} ms away" if one_way else "a mail server on this machine"
    report.say(f"\n{database.name}, {where}: {size.each * len(KINDS)} messages, {size.rounds} rounds")
    report.say(f"  {'':14}{'a second':>10}{'of bare':>9}{'':18}{'ms of processor time: sender, database, server':>48}")
    for name, runs in found.items():
        report.say(_told(report, database, name, runs, found[BARE], is_near=not one_way))


def _told(
    report: Report, database: Database, name: str, runs: Sequence[Run], bare: Sequence[Run], *, is_near: bool
) -> str:
    ratios = [run.per_second / beside.per_second for run, beside in zip(runs, bare, strict=True)]
    each = [median(getattr(run, of) for run in runs) for of in ("sender", "database", "server")]
    target = TARGETS.get(int(name.split()[0])) if name != BARE and is_near else None
    said = "" if target is None else report.judge(
        f"{database.name}: {name}", f"at least {target:g}", is_met=median(ratios) >= target)
    spread = f"({min(ratios):.2f} to {max(ratios):.2f})"
    return (f"  {name:14}{median(run.per_second for run in runs):>10.1f}{median(ratios):>9.2f} {spread:17}"
            f"{each[0]:>26.2f}{each[1]:>11.2f}{each[2]:>11.2f}{said}").rstrip()


def stages(report: Report, database: Database, url: str, each: int) -> None:
    """Where the time of one worker goes, which runs within this process to be watched."""
    copy, count = database.copy(url), each * len(KINDS)
    with post() as office:
        kit = kit_of(Place(copy, office.port))
        with for_writing(kit.engine).begin() as connection:
            connection.execute(sa.update(Business).values(held_since=None))
        courier = Courier(work_of(kit), kit.post_office(), "watched", base_url=kit.settings.base_url)
        warm = courier.deliver_due(count // 4).done
        with watched(kit.engine) as found:
            done = courier.deliver_due(count).done
        assert warm + done == count
        kit.engine.dispose()
    database.drop(copy)
    _tell_stages(report, database, found, done)


def _tell_stages(report: Report, database: Database, found: Stages, done: int) -> None:
    whole = sum(spent.processor for spent in found.spent.values())
    clock = sum(spent.clock for spent in found.spent.values())
    report.say(f"\n{database.name}, where the time of one worker goes: {clock / done * 1000:.1f} ms a message, "
               f"{whole / done * 1000:.1f} ms of them of this processor; {found.statements / done:.1f} statements in "
               f"{found.transactions / done:.1f} transactions")
    report.say(f"  {'':24}{'ms':>8}{'processor':>12}{'share':>8}")
    for name, spent in found.spent.items():
        report.say(f"  {name:24}{spent.clock / done * 1000:>8.2f}{spent.processor / done * 1000:>12.2f}"
                   f"{spent.processor / whole:>8.0%}")


def waiting(report: Report, database: Database, sizes: Sequence[int]) -> None:
    """What each tick costs among so many messages that wait."""
    url = database.empty()
    found = dict(ticks_among(url, sizes))
    database.drop(url)
    report.say(f"\n{database.name}, a tick with nothing to do among so many waiting messages: ms, in brackets the least"
               " and the statements")
    report.say(f"  {'':12}" + "".join(f"{size:>26,}" for size in sizes))
    for name in found[sizes[0]]:
        report.say(_tell_tick(report, database, name, {size: found[size][name] for size in sizes}))
    for name, tick in found[sizes[-1]].items():
        for scan in tick.scans:
            report.missed.append(f"{database.name}: {name} reads a whole table")
            report.say(f"  {name} reads a whole table: {scan}")


def _tell_tick(report: Report, database: Database, name: str, among: Mapping[int, Tick]) -> str:
    ticks = list(among.values())
    figures = "".join(f"{f'{tick.median:.2f} ({tick.least:.2f}, {tick.statements})':>26}" for tick in ticks)
    growth = ticks[-1].least / ticks[0].least
    said = report.judge(
        f"{database.name}: {name} among {max(among):,}", f"{growth:.2f} times, at most {GROWTH:g}",
        is_met=growth <= GROWTH and len({tick.statements for tick in ticks}) == 1)
    return f"  {name:12}{figures}{said}"


def measure(report: Report, database: Database, size: Size) -> None:
    """All that there is to say of one database."""
    url = database.empty()
    fill(url, size.each)
    for one_way in (0.0, ONE_WAY):
        sending(report, database, url, size, one_way)
    stages(report, database, url, size.each)
    database.drop(url)
    waiting(report, database, size.waiting)


def main(words: Sequence[str]) -> None:
    """Measure and report."""
    report = Report()
    with databases() as kinds:
        for database in kinds:
            measure(report, database, SHORT if "--short" in words else Size())
    report.say(f"\nmissed: {', '.join(report.missed) or 'nothing'}")


if __name__ == "__main__":
    main(sys.argv[1:])
