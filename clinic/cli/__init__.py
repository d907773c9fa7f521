"""The command line: what an operator types, with errors that say what to do."""
from __future__ import annotations

import click

from clinic.cli import accounts, moving, planning, running, sheets


@click.group()
def main() -> None:
    """Plans whole courses of treatment, keeps them in their windows, and writes to each patient at the right time."""


for command in (
    running.demo, running.serve, running.worker, running.bounces, running.db, running.check_zones,
    accounts.open_clinic, accounts.create_account, accounts.set_password,
    sheets.day_sheets,
    moving.import_folder, moving.export_everything, moving.import_calendar,
    planning.plan,
):
    main.add_command(command)
