"""A transport that takes everything and sends nothing: for the demo and for tests."""
from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesHeaderParser
from pathlib import Path

from clinic.messages.transport import BeforeDot, Outcome, OutcomeKind, Phase

_UNSAFE = re.compile(r"[^A-Za-z0-9@._-]")


class MailboxTransport:
    """Takes every message; with a folder, leaves it there as an .eml file named after its Message-ID."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Nothing to keep open."""
        yield

    def deliver(self, sender: str, recipient: str, mime: bytes, *, before_dot: BeforeDot) -> Outcome:
        """Take one message; see `Transport`."""
        if before_dot() is False:
            return Outcome(OutcomeKind.ABORTED, Phase.DATA, None, "stopped before the end of the message")
        if self._folder is not None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                (self._folder / _file_name(mime)).write_bytes(mime)
            except OSError as error:
                return Outcome(OutcomeKind.RETRY, Phase.DOT, None, f"{type(error).__name__}: {error.strerror}")
        return Outcome(OutcomeKind.SENT, Phase.DOT, 250, "kept in the mailbox")


def _file_name(mime: bytes) -> str:
    named = str(BytesHeaderParser().parsebytes(mime).get("Message-ID", "")).strip("<> ")
    plain = _UNSAFE.sub("_", named).lstrip(".")[:200]
    return f"{plain or hashlib.sha256(mime).hexdigest()[:32]}.eml"
