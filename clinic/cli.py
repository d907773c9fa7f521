"""The command line: what an operator types, with errors that say what to do."""
from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO

import click

from clinic.access import Grant, Role
from clinic.services.work import Actor, Done, Refused
from clinic.settings import Settings, SettingsFaults

CLI = Actor("cli")


@click.group()
def main() -> None:
    """Plans whole courses of treatment, keeps them in their windows, and writes to each patient at the right time."""


def _settings() -> Settings:
    try:
        return Settings.from_env(os.environ)
    except SettingsFaults as error:
        raise click.ClickException("The settings are not usable:\n  " + "\n  ".join(error.faults)) from error


def _kit(*, current: bool = True, may_begin: bool = True) -> Any:
    """The kit of the installation; with a database that is up to date, or an error that says how to get there."""
    from clinic.app import build
    from clinic.logs import configure
    from clinic.store.migrate import CannotMigrate, is_current, revision_of, upgrade

    settings = _settings()
    configure(settings.log_level)
    kit = build(settings)
    click.get_current_context().call_on_close(kit.engine.dispose)
    try:
        if current and may_begin and revision_of(kit.engine) is None:
            upgrade(kit.engine)
        elif current and not is_current(kit.engine):
            raise click.ClickException(
                "The database is of another version of this program: make a backup, then run `clinic db upgrade`")
    except CannotMigrate as error:
        raise click.ClickException(str(error)) from error
    return kit


def _reached(command: Callable[..., None]) -> Callable[..., None]:
    """Says in words that the database cannot be reached, instead of a trace."""
    from sqlalchemy.exc import OperationalError

    from clinic.services.work import is_busy

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except OperationalError as error:
            if is_busy(error):
                raise click.ClickException(
                    "The database is in use: a whole clinic may be moving in. Try again in a few minutes") from error
            raise click.ClickException(
                "The database cannot be reached or written; check CLINIC_DATABASE_URL and CLINIC_DATA_DIR "
                f"({str(error.orig).splitlines()[0]})") from error

    return run


def _say(outcome: Done[Any] | Refused, done: str) -> None:
    if isinstance(outcome, Refused):
        raise click.ClickException("\n".join(
            f"{finding.field}: {finding.text}" if finding.field else finding.text for finding in outcome.findings))
    click.echo(done)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535),
              help="The port; the next free one if it is taken.")
@click.option("--large", is_flag=True, help="Three sites and 400 patients, moved in from files like a real clinic's.")
def demo(host: str, port: int, large: bool) -> None:
    """Bring a believable clinic to life in a temporary database, and show it in the browser."""
    from clinic.demo.run import run

    run(host, port, say=click.echo, is_large=large)


@main.command()
@click.option("--worker/--no-worker", "with_worker", default=None,
              help="Send messages from this process too. Default: yes on SQLite, no on PostgreSQL.")
@_reached
def serve(with_worker: bool | None) -> None:
    """Serve the pages (and, on SQLite, send the messages) until stopped."""
    from clinic.app import serve_pages
    from clinic.queries.accounts import has_accounts
    from clinic.services.first_run import setup_code

    kit = _kit()
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


@main.command()
@_reached
def worker() -> None:
    """Send messages when they are due, until stopped."""
    from clinic.worker import run

    run(_kit())


@main.command()
@click.option("--to", "arrived_at", multiple=True, help="The address that it was for, where the mail server knows it.")
def bounces(arrived_at: tuple[str, ...]) -> None:
    """Take a message that came back from standard input; exit code 75 where the mail server has to try again later."""
    from sqlalchemy.exc import SQLAlchemyError

    from clinic.services.bounces import read_report_from, take_report

    data = read_report_from(sys.stdin.buffer)
    try:
        with _kit(may_begin=False).work(CLI) as work:
            take_report(work, data, arrived_at=arrived_at)
    except (click.ClickException, SQLAlchemyError) as error:
        click.echo(getattr(error, "message", "The database cannot be reached or written"), err=True)
        raise SystemExit(os.EX_TEMPFAIL) from error


@main.command()
@click.argument("problem", type=click.File("rb"))
@click.option("--starts", "only_starts", is_flag=True, help="List every start of one step that keeps a whole plan.")
@click.option("--step", default=1, show_default=True, type=click.IntRange(1, 60), help="The step that --starts lists.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="End the search after so long.")
def plan(problem: BinaryIO, only_starts: bool, step: int, seconds: float | None) -> None:
    """Answer the planning document PROBLEM (- for standard input); exit code 2 for one that breaks the form."""
    from clinic.planning import plan as planned
    from clinic.planning import starts
    from clinic.planning.document import as_text, document_of, parse
    from clinic.planning.form import MOST_BYTES, Malformed

    try:
        asked = parse(problem.read(MOST_BYTES + 1))
    except Malformed as error:
        for fault in error.faults:
            click.echo(fault, err=True)
        raise SystemExit(2) from error
    if only_starts and step > len(asked.steps):
        raise click.BadParameter(f"the course has {len(asked.steps)} steps", param_hint="--step")
    answer = starts(asked, step) if only_starts else planned(asked, seconds=seconds)
    click.echo(as_text(document_of(answer, asked)))


@main.group()
def db() -> None:
    """Look after the database."""


@db.command("upgrade")
@_reached
def db_upgrade() -> None:
    """Bring the database to this program's version."""
    from clinic.store.migrate import CannotMigrate, revision_of, upgrade

    kit = _kit(current=False)
    try:
        upgrade(kit.engine)
    except CannotMigrate as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"The database is at {revision_of(kit.engine)}")


@main.command("open-clinic")
@click.argument("name")
@click.option("--zone", required=True, help="Its time zone, such as Europe/London.")
@click.option("--address", required=True)
@click.option("--phone", required=True)
@click.option("--sender-email", required=True, help="The address that its messages come from.")
@click.option("--business", default=None, help="The name of the business; the first clinic's own if not said.")
@_reached
def open_clinic(name: str, zone: str, address: str, phone: str, sender_email: str, business: str | None) -> None:
    """Open a clinic, Monday to Friday from 09:00 to 18:00, with the protocol library as drafts."""
    from clinic.queries.clinics import clinic_ids_by_name
    from clinic.services import clinics as service
    from clinic.services.protocols import load_catalogue

    kit = _kit()
    details = service.ClinicDetails(
        name=name, zone=zone, address=address, phone=phone, sender_name=business or name, sender_email=sender_email,
        hours=(service.Hours((0, 1, 2, 3, 4), 9 * 60, 18 * 60),))
    with kit.read() as reading:
        first = not clinic_ids_by_name(reading)
    with kit.work(CLI) as work:
        load_catalogue(work)
    with kit.work(CLI) as work:
        outcome = service.open_clinic(work, details)
    if isinstance(outcome, Done) and (business or first):
        with kit.work(CLI) as work:
            service.name_business(work, business or name)
    _say(outcome, f"Opened {name}")


@main.command("create-account")
@click.argument("email")
@click.option("--name", required=True, help="Who signs in.")
@click.option("--clinic", "clinics", multiple=True, help="A clinic by name; all if not said. May be repeated.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([role.value for role in Role]))
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@_reached
def create_account(
    email: str, name: str, clinics: tuple[str, ...], roles: tuple[str, ...], password_stdin: bool
) -> None:
    """Create an account for EMAIL with its roles."""
    from clinic.queries.clinics import clinic_ids_by_name
    from clinic.services.accounts import create_account as create

    kit = _kit()
    with kit.read() as reading:
        known = clinic_ids_by_name(reading)
    if not known:
        raise click.ClickException("There is no clinic yet: open one with `clinic open-clinic`")
    unknown = [each for each in clinics if each not in known]
    if unknown:
        raise click.ClickException(f"No clinic is called {unknown[0]!r}; there are: {', '.join(sorted(known))}")
    password = _password(password_stdin)
    grants = [Grant(known[each], Role(role)) for each in clinics or sorted(known) for role in roles]
    with kit.work(CLI) as work:
        outcome = create(work, email=email, name=name, password=password, grants=grants)
    _say(outcome, f"Created an account for {email}")


def _password(from_stdin: bool) -> str:
    return sys.stdin.readline().rstrip("\n") if from_stdin else str(
        click.prompt("Password", hide_input=True, confirmation_prompt=True))


@main.command("check-zones")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@_reached
def check_zones(dry_run: bool) -> None:
    """Keep the local time of every visit to come where the rules of its time zone have changed.

    Run it after an update of the zone data, with serve and worker started anew; workers do the same when they start and
    once a day. Exit code 2 where a person has to agree on another time: a task says so.
    """
    from clinic.services.zones import follow_zones

    kit = _kit()
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


@main.command("export")
@click.argument("folder", type=click.Path(path_type=Path))
@_reached
def export_everything(folder: Path) -> None:
    """Write everything that this clinic has into FOLDER, which must be new or empty."""
    from clinic.services.export import export_all, note_export

    kit = _kit()
    try:
        with kit.read() as reading:
            outcome = export_all(reading, folder.absolute(), _progress())
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written ({error.strerror})") from error
    if isinstance(outcome, Done):
        with kit.work(CLI) as work:
            note_export(work)
    rows = f"{outcome.value:,}" if isinstance(outcome, Done) else ""
    _say(outcome, f"Exported {rows} rows to {folder}. It concerns patients' health: keep it safe.")


@main.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--dry-run", is_flag=True, help="Say what would come in, and change nothing.")
@_reached
def import_folder(folder: Path, dry_run: bool) -> None:
    """Move in the files of FOLDER, or bring back an export; all of it or nothing. Exit code 2 where it has faults."""
    from clinic.services.move_in import move_in

    kit = _kit()
    if (folder / "manifest.json").exists():
        _bring_back(kit, folder, dry_run)
        return
    with kit.work(CLI) as work:
        report = move_in(work, folder, dry_run=dry_run, progress=_progress())
    for line in report.lines:
        click.echo(line)
    if not report.is_good:
        raise SystemExit(2)


def _bring_back(kit: Any, folder: Path, dry_run: bool) -> None:
    from clinic.services.restore import restore

    if dry_run:
        raise click.ClickException("An export is brought back whole, into an empty database: there is no dry run of it")
    with kit.work(CLI) as work:
        outcome = restore(work, folder, _progress())
    if isinstance(outcome, Refused):
        click.echo("\n".join(f"fault: {finding.text}" for finding in outcome.findings))
        raise SystemExit(2)
    click.echo(f"Brought back {sum(outcome.value.values()):,} rows. Accounts have no password: use `clinic "
               "set-password`. No message leaves until a person releases them on the Messages page.")


def _progress() -> Callable[[int, int, str], None]:
    """Shows how far a long work has come: over one line of a terminal, in ten lines of anything else."""
    shown = -1

    def show(done: int, total: int, what: str) -> None:
        nonlocal shown
        percent = 100 * done // total if total else 100
        if sys.stderr.isatty():
            if percent != shown:
                click.echo(f"\r{percent:3} % {what:<40}", err=True, nl=done >= total)
        elif percent // 10 != shown // 10:
            click.echo(f"{percent} % {what}", err=True)
        shown = percent

    return show


@main.command("set-password")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@_reached
def set_password(email: str, password_stdin: bool) -> None:
    """Set the password of the account EMAIL, such as of one that was moved in; its browsers are signed out."""
    from clinic.services.account_changes import set_password as keep

    kit = _kit()
    password = _password(password_stdin)
    with kit.work(CLI) as work:
        outcome = keep(work, email, password)
    _say(outcome, f"Set the password of {email}")


@main.command("import-calendar")
@click.argument("practitioner")
@click.argument("file", type=click.File("rb"))
@click.option("--source", default="Outside calendar", show_default=True,
              help="The calendar's name; a file under the same name replaces what was read before.")
@_reached
def import_calendar(practitioner: str, file: BinaryIO, source: str) -> None:
    """Keep the busy times of the calendar FILE (.ics) of PRACTITIONER, given by name."""
    from clinic.interchange.ics_lines import MOST_BYTES
    from clinic.queries.outside_calendars import practitioners_called
    from clinic.services.outside_calendars import import_calendar as keep

    kit = _kit()
    with kit.read() as reading:
        found = practitioners_called(reading, practitioner)
    if len(found) != 1:
        raise click.ClickException(
            f"{'Several practitioners are' if found else 'No practitioner is'} called {practitioner!r}")
    with kit.work(CLI) as work:
        outcome = keep(work, found[0], source=source, data=file.read(MOST_BYTES + 1))
    count = outcome.value if isinstance(outcome, Done) else 0
    _say(outcome, f"Kept {count} busy {'time' if count == 1 else 'times'} of {practitioner}")


if __name__ == "__main__":
    main()
