"""Bringing the program to life and keeping it there: pages, worker, what came back, the database, the zones."""
from __future__ import annotations

import os
import sys

import click

from clinic.cli.shell import CLI, open_kit, reached


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535),
              help="The port; the next free one if it is taken.")
@click.option("--large", is_flag=True, help="Three sites and 400 patients, moved in from files like a real clinic's.")
def demo(host: str, port: int, large: bool) -> None:
    """Bring a believable clinic to life in a temporary database, and show it in the browser."""
    from clinic.demo.run import run

    run(host, port, say=click.echo, is_large=large)


@click.command()
@click.option("--worker/--no-worker", "with_worker", default=None,
              help="Send messages from this process too. Default: yes on SQLite, no on PostgreSQL.")
@reached
def serve(with_worker: bool | None) -> None:
    """Serve the pages (and, on SQLite, send the messages) until stopped."""
    from clinic.app import serve_pages
    from clinic.queries.accounts import has_accounts
    from clinic.services.first_run import setup_code

    kit = open_kit()
    settings = kit.settings
    on_sqlite = settings.database_url.startswith("sqlite")
    click.echo(f"Serving {settings.base_url} from {settings.host}:{settings.port}", err=True)
    with kit.read() as reading:
        is_new = not has_accounts(reading)
    if is_new:
        code = setup_code(settings.secret_key)
        click.echo(f"Nobody has an account yet. Open {settings.base_url}/welcome?code={code}", err=True)
    try:
        serve_pages(kit, settings.host, settings.port, with_worker=on_sqlite if with_worker is None else with_worker)
    except OSError as error:
        raise click.ClickException(
            f"Cannot listen on {settings.host}:{settings.port} ({error.strerror}): choose another CLINIC_PORT"
        ) from error


@click.command()
@reached
def worker() -> None:
    """Send messages when they are due, until stopped."""
    from clinic.worker import run

    run(open_kit())


@click.command()
@click.option("--to", "arrived_at", multiple=True, help="The address that it was for, where the mail server knows it.")
def bounces(arrived_at: tuple[str, ...]) -> None:
    """Take a message that came back from standard input; exit code 75 where the mail server has to try again later."""
    from sqlalchemy.exc import SQLAlchemyError

    from clinic.services.bounces import read_report_from, take_report

    data = read_report_from(sys.stdin.buffer)
    try:
        with open_kit(may_begin=False).work(CLI) as work:
            take_report(work, data, arrived_at=arrived_at)
    except (click.ClickException, SQLAlchemyError) as error:
        click.echo(getattr(error, "message", "The database cannot be reached or written"), err=True)
        raise SystemExit(os.EX_TEMPFAIL) from error


@click.group()
def db() -> None:
    """Look after the database."""


@db.command("upgrade")
@reached
def db_upgrade() -> None:
    """Bring the database to this program's version."""
    from clinic.store.migrate import CannotMigrate, revision_of, upgrade

    kit = open_kit(current=False)
    try:
        upgrade(kit.engine)
    except CannotMigrate as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"The database is at {revision_of(kit.engine)}")


@click.command("check-zones")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@reached
def check_zones(dry_run: bool) -> None:
    """Keep the local time of every visit to come where the rules of its time zone have changed.

    Run it after an update of the zone data, with serve and worker started anew; workers do the same when they start and
    once a day. Exit code 2 where a person has to agree on another time: a task says so.
    """
    from clinic.services.zones import follow_zones

    kit = open_kit()
    with kit.work(CLI) as work:
        found = follow_zones(work, is_trial=dry_run)
    if not found:
        click.echo("Every visit to come is where the rules of its time zone put it")
        return
    click.echo(f"Visits to come that new zone rules put at another instant: {len(found):,}"
               f"{' (dry run: nothing was changed)' if dry_run else ''}")
    for each in sorted(found, key=lambda each: (not each.needs_a_person, each.starts_at, each.appointment_id)):
        click.echo(f"  visit {each.appointment_id}, {each.local_start:%Y-%m-%d %H:%M} {each.zone}: "
                   f"{each.was_at:%H:%M} → {each.starts_at:%H:%M} UTC{_FATES[each.fate.value]}")
    if any(each.needs_a_person for each in found):
        raise SystemExit(2)


_FATES = {
    "follows": "", "skipped": "; NEEDS A PERSON: the clocks now skip that time",
    "repeated": "; NEEDS A PERSON: the clocks now read that time twice",
    "taken": "; NEEDS A PERSON: somebody or something it needs has another visit then, so it was not moved",
}
