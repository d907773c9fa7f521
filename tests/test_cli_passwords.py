"""Setting a password at the command line."""
from __future__ import annotations

from tests.test_cli import ANA, HARBOUR, PASSWORD, Operator, no_settings, operator, said

__all__ = ["no_settings", "operator"]


def test_a_password_is_set_for_an_account_that_is_there(operator: Operator) -> None:
    operator(*HARBOUR)
    operator(*ANA)
    (before,) = operator.rows("SELECT password_hash FROM account")

    result = operator("set-password", "Ana@harbour.example", "--password-stdin", typed="nine loud starlings\n")

    (after,) = operator.rows("SELECT password_hash FROM account")
    assert (result.exit_code, result.output) == (0, "Set the password of Ana@harbour.example\n")
    assert before != after
    assert operator.rows("SELECT action FROM audit ORDER BY id DESC LIMIT 1") == [("password-set",)]


def test_an_unknown_account_and_a_weak_password_are_named(operator: Operator) -> None:
    operator(*HARBOUR)
    operator(*ANA)

    unknown = operator("set-password", "ben@harbour.example", "--password-stdin", typed=PASSWORD)
    weak = operator("set-password", "ana@harbour.example", "--password-stdin", typed="short\n")

    assert "email: No account has this e-mail address." in said(unknown)
    assert "password: The password needs at least" in said(weak)
