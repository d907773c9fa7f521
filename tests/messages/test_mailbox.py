"""The mailbox of the demo behaves as a mail server does, and keeps its promises."""
from __future__ import annotations

from pathlib import Path

import pytest

from clinic.messages.mailbox import MailboxTransport
from clinic.messages.transport import Outcome, OutcomeKind, Phase, Transport

MIME = b"Message-ID: <abc@mail.example>\r\n\r\nHello\r\n"


def deliver(to: Transport, mime: bytes = MIME) -> Outcome:
    """Hand over one message to Ana."""
    return to.deliver("hello@harbour.example", "ana@home.example", mime, before_dot=lambda: None)


def test_a_mailbox_takes_everything() -> None:
    with MailboxTransport().connection():
        outcome = deliver(MailboxTransport())

    assert outcome == Outcome(OutcomeKind.SENT, Phase.DOT, 250, "kept in the mailbox")


def test_a_mailbox_with_a_folder_leaves_the_bytes_there(tmp_path: Path) -> None:
    outcomes = [deliver(MailboxTransport(tmp_path / "mail")).kind for _ in range(2)]

    assert outcomes == [OutcomeKind.SENT, OutcomeKind.SENT]
    assert {file.name: file.read_bytes() for file in (tmp_path / "mail").iterdir()} == {"abc@mail.example.eml": MIME}


def test_a_message_id_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "mail"

    deliver(MailboxTransport(folder), b"Message-ID: <../../x@mail.example>\r\n\r\nHello\r\n")
    deliver(MailboxTransport(folder), b"Subject: none\r\n\r\nHello\r\n")

    assert len(list(folder.iterdir())) == 2
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_cannot_be_written_is_trouble_that_may_pass(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")

    outcome = deliver(MailboxTransport(tmp_path / "mail"))

    assert outcome.kind is OutcomeKind.RETRY


def test_a_no_before_the_dot_leaves_nothing(tmp_path: Path) -> None:
    outcome = MailboxTransport(tmp_path).deliver("a@b.example", "c@d.example", MIME, before_dot=lambda: False)

    assert outcome.kind is OutcomeKind.ABORTED
    assert list(tmp_path.iterdir()) == []


def test_an_error_before_the_dot_is_the_callers(tmp_path: Path) -> None:
    def fenced() -> bool:
        raise LookupError

    with pytest.raises(LookupError):
        MailboxTransport(tmp_path).deliver("a@b.example", "c@d.example", MIME, before_dot=fenced)

    assert list(tmp_path.iterdir()) == []
