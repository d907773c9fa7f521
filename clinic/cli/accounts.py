"""Clinics and accounts, for an operator who sets them up without the pages."""
from __future__ import annotations

import click

from clinic.access import Grant, Role
from clinic.cli.shell import CLI, clinics_called, open_kit, password_of, reached, say
from clinic.services.work import Done


@click.command("open-clinic")
@click.argument("name")
@click.option("--zone", required=True, help="Its time zone, such as Europe/London.")
@click.option("--address", required=True)
@click.option("--phone", required=True)
@click.option("--sender-email", required=True, help="The address that its messages come from.")
@click.option("--business", default=None, help="The name of the business; the first clinic's own if not said.")
@reached
def open_clinic(name: str, zone: str, address: str, phone: str, sender_email: str, business: str | None) -> None:
    """Open a clinic, Monday to Friday from 09:00 to 18:00, with the protocol library as drafts."""
    from clinic.queries.clinics import clinic_ids_by_name
    from clinic.services import clinics as service
    from clinic.services.protocols import load_catalogue

    kit = open_kit()
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
    say(outcome, f"Opened {name}")


@click.command("create-account")
@click.argument("email")
@click.option("--name", required=True, help="Who signs in.")
@click.option("--clinic", "clinics", multiple=True, help="A clinic by name; all if not said. May be repeated.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([role.value for role in Role]))
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@reached
def create_account(
    email: str, name: str, clinics: tuple[str, ...], roles: tuple[str, ...], password_stdin: bool
) -> None:
    """Create an account for EMAIL with its roles."""
    from clinic.services.accounts import create_account as create

    kit = open_kit()
    chosen = clinics_called(kit, clinics)
    password = password_of(password_stdin)
    grants = [Grant(clinic_id, Role(role)) for clinic_id in chosen for role in roles]
    with kit.work(CLI) as work:
        outcome = create(work, email=email, name=name, password=password, grants=grants)
    say(outcome, f"Created an account for {email}")


@click.command("set-password")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@reached
def set_password(email: str, password_stdin: bool) -> None:
    """Set the password of the account EMAIL, such as of one that was moved in; its browsers are signed out."""
    from clinic.services.account_changes import set_password as keep

    kit = open_kit()
    password = password_of(password_stdin)
    with kit.work(CLI) as work:
        outcome = keep(work, email, password)
    say(outcome, f"Set the password of {email}")
