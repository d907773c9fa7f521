"""What every command needs: the kit of the installation, errors in words, the end of a command, how far a long one
has come."""
from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from clinic.services.work import Actor, Done, Refused
from clinic.settings import Settings, SettingsFaults

if TYPE_CHECKING:
    from clinic.app import Kit

CLI = Actor("cli")


def open_kit(*, current: bool = True, may_begin: bool = True) -> Kit:
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


def clinics_called(kit: Kit, names: Collection[str]) -> list[int]:
    """The ids of the clinics of these names, or of all by name; an error that says which there are."""
    from clinic.queries.clinics import clinic_ids_by_name

    with kit.read() as reading:
        known = clinic_ids_by_name(reading)
    if not known:
        raise click.ClickException("There is no clinic yet: open one with `clinic open-clinic`")
    unknown = [each for each in names if each not in known]
    if unknown:
        raise click.ClickException(f"No clinic is called {unknown[0]!r}; there are: {', '.join(sorted(known))}")
    return [known[each] for each in names or sorted(known)]


def _settings() -> Settings:
    try:
        return Settings.from_env(os.environ)
    except SettingsFaults as error:
        raise click.ClickException("The settings are not usable:\n  " + "\n  ".join(error.faults)) from error


def reached(command: Callable[..., None]) -> Callable[..., None]:
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


def say(outcome: Done[Any] | Refused, done: str) -> None:
    """Ends a command: what was done, or an error that says why not."""
    if isinstance(outcome, Refused):
        raise click.ClickException("\n".join(
            f"{finding.field}: {finding.text}" if finding.field else finding.text for finding in outcome.findings))
    click.echo(done)


def password_of(from_stdin: bool) -> str:
    """A password from standard input, or asked for twice; never an argument, which others on the machine can read."""
    return sys.stdin.readline().rstrip("\n") if from_stdin else str(
        click.prompt("Password", hide_input=True, confirmation_prompt=True))


def progress() -> Callable[[int, int, str], None]:
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
