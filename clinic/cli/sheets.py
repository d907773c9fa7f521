"""The coming days on a stick, for when power or network fails."""
from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from clinic.cli.shell import CLI, clinics_called, open_kit, reached, say
from clinic.services.work import Done

MOST_BYTES = 8 * 1024


@click.command("day-sheets")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--clinic", "clinics", multiple=True, help="A clinic by name; all if not said. May be repeated.")
@click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, allow_dash=True),
              help="Where the passphrase stands, on one line (- for standard input). Asked for if not said.")
@reached
def day_sheets(folder: Path, clinics: tuple[str, ...], passphrase_file: str | None) -> None:
    """Write today and the next three days of each clinic, encrypted, into FOLDER: one file a clinic, in place of the
    one before, which any browser opens without this program."""
    from clinic.services.day_sheets import note_day_sheets, write_day_sheets

    kit = open_kit()
    chosen = clinics_called(kit, clinics)
    passphrase = _passphrase(passphrase_file, folder)
    try:
        with kit.read() as reading:
            outcome = write_day_sheets(reading, folder, passphrase, clinics=chosen, now=kit.clock())
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written ({error.strerror}); no file is half there") from error
    if isinstance(outcome, Done):
        with kit.work(CLI) as work:
            note_day_sheets(work, tuple(outcome.value))
        for path in outcome.value.values():
            click.echo(path)
    say(outcome, "Any browser on any computer opens them with the passphrase. Try it once before you need it.")


def _passphrase(file: str | None, folder: Path) -> str:
    """The passphrase, never from an argument, which others on the machine can read."""
    if file is None:
        return str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=True))
    if file != "-":
        if Path(file).resolve().parent == folder.resolve():
            raise click.ClickException("The passphrase lies in the folder of the sheets: keep it somewhere else")
        if os.stat(file).st_mode & 0o077:
            click.echo(f"Others on this machine may read {file}: give it to its owner alone (chmod 600)", err=True)
    try:
        data: bytes = sys.stdin.buffer.read(MOST_BYTES) if file == "-" else Path(file).read_bytes()
        return data[:MOST_BYTES].decode("utf-8-sig").strip()
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise click.ClickException("The passphrase is not written in UTF-8") from error
