"""Moving in and out: files of other systems, an export and its way back, outside calendars."""
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from clinic.cli.shell import CLI, open_kit, progress, reached, say
from clinic.services.work import Done, Refused

if TYPE_CHECKING:
    from clinic.app import Kit


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path))
@reached
def export_everything(folder: Path) -> None:
    """Write everything that this clinic has into FOLDER, which must be new or empty."""
    from clinic.services.export import export_all, note_export

    kit = open_kit()
    try:
        with kit.read() as reading:
            outcome = export_all(reading, folder.absolute(), progress())
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written ({error.strerror})") from error
    if isinstance(outcome, Done):
        with kit.work(CLI) as work:
            note_export(work)
    rows = f"{outcome.value:,}" if isinstance(outcome, Done) else ""
    say(outcome, f"Exported {rows} rows to {folder}. It concerns patients' health: keep it safe.")


@click.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--dry-run", is_flag=True, help="Say what would come in, and change nothing.")
@reached
def import_folder(folder: Path, dry_run: bool) -> None:
    """Move in the files of FOLDER, or bring back an export; all of it or nothing. Exit code 2 where it has faults."""
    from clinic.services.move_in import move_in

    kit = open_kit()
    if (folder / "manifest.json").exists():
        _bring_back(kit, folder, dry_run)
        return
    with kit.work(CLI) as work:
        report = move_in(work, folder, dry_run=dry_run, progress=progress())
    for line in report.lines:
        click.echo(line)
    if not report.is_good:
        raise SystemExit(2)


def _bring_back(kit: Kit, folder: Path, dry_run: bool) -> None:
    from clinic.services.restore import restore

    if dry_run:
        raise click.ClickException("An export is brought back whole, into an empty database: there is no dry run of it")
    with kit.work(CLI) as work:
        outcome = restore(work, folder, progress())
    if isinstance(outcome, Refused):
        click.echo("\n".join(f"fault: {finding.text}" for finding in outcome.findings))
        raise SystemExit(2)
    click.echo(f"Brought back {sum(outcome.value.values()):,} rows. Accounts have no password: use `clinic "
               "set-password`. No message leaves until a person releases them on the Messages page.")


@click.command("import-calendar")
@click.argument("practitioner")
@click.argument("file", type=click.File("rb"))
@click.option("--source", default="Outside calendar", show_default=True,
              help="The calendar's name; a file under the same name replaces what was read before.")
@reached
def import_calendar(practitioner: str, file: BinaryIO, source: str) -> None:
    """Keep the busy times of the calendar FILE (.ics) of PRACTITIONER, given by name."""
    from clinic.interchange.ics_lines import MOST_BYTES
    from clinic.queries.outside_calendars import practitioners_called
    from clinic.services.outside_calendars import import_calendar as keep

    kit = open_kit()
    with kit.read() as reading:
        found = practitioners_called(reading, practitioner)
    if len(found) != 1:
        raise click.ClickException(
            f"{'Several practitioners are' if found else 'No practitioner is'} called {practitioner!r}")
    with kit.work(CLI) as work:
        outcome = keep(work, found[0], source=source, data=file.read(MOST_BYTES + 1))
    count = outcome.value if isinstance(outcome, Done) else 0
    say(outcome, f"Kept {count} busy {'time' if count == 1 else 'times'} of {practitioner}")
