"""Hands a message to a mail server, phase by phase, so that what happened is known at every step.

The result is the server's answer to the final dot; what happens afterwards (QUIT) changes nothing.
Before the dot every trouble is safe to repeat. From the dot on, silence means that nobody knows.
"""
from __future__ import annotations

import ipaddress
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from clinic.messages.transport import BeforeDot, Outcome, OutcomeKind, Phase
from clinic.messages.wire import Deadline, EncryptedWire, Wire

_ADDRESS = re.compile(r"[!-;=?-~]+\Z")
_LINE_LIMIT = 998
# The server's trouble with us (log in first, encrypt first) is not the message's fault.
_ABOUT_US = frozenset({530, 534, 535, 538})


class Security(StrEnum):
    """How the connection is protected: `starttls` and `tls` are required and verified, never given up."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each phase may take in all, in seconds: connecting until the server takes orders, the commands
    MAIL to DATA, the body, and the reply to the dot, which RFC 5321 gives ten minutes."""

    connect: float = 30.0
    command: float = 60.0
    data: float = 60.0
    dot: float = 600.0

    @property
    def budget(self) -> float:
        """The longest that one delivery can take; a lease must outlive it.

        A handshake may begin just before connecting must end, and a kept connection may be found dead.
        """
        return 2 * self.connect + 2 * self.command + self.data + self.dot


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Which server, and how to speak to it; an unprotected connection is for this machine only."""

    host: str
    port: int
    security: Security = Security.STARTTLS
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    helo: str | None = None
    timeouts: Timeouts = Timeouts()
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        if not self.host or not 0 < self.port < 65536:
            raise ValueError(f"not a mail server: {self.host!r} port {self.port}")
        if self.security is Security.NONE and not _is_loopback(self.host):
            raise ValueError(f"mail to {self.host} must be encrypted; only this machine may be reached without")
        if (self.username is None) is not (self.password is None):
            raise ValueError("a mail account needs both its name and its password")


class SmtpTransport:
    """Delivers over SMTP, one recipient for each message. Use one per thread."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._tls: ssl.SSLContext | None = None
        self._wire: Wire | None = None
        self._keeps = False

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Keep one connection for the deliveries inside the block; it is opened by the first."""
        self._keeps = True
        try:
            yield
        finally:
            self._keeps = False
            self._quit()

    def deliver(self, sender: str, recipient: str, mime: bytes, *, before_dot: BeforeDot) -> Outcome:
        """Hand over one message and say what became of it; see `Transport`."""
        refusal = _unsendable(sender, recipient, mime)
        if refusal is not None:
            return refusal
        try:
            outcome = self._converse(sender, recipient, mime, before_dot)
        except BaseException:
            self._hang_up()
            raise
        if not self._keeps:
            self._quit()
        return outcome

    def _converse(self, sender: str, recipient: str, mime: bytes, before_dot: BeforeDot) -> Outcome:
        kept = self._wire is not None
        outcome = self._attempt(sender, recipient, mime, before_dot)
        # A server may close a connection that was idle; nothing of this message has been said on it yet.
        if kept and outcome.phase is Phase.MAIL and outcome.kind is OutcomeKind.RETRY and self._wire is None:
            outcome = self._attempt(sender, recipient, mime, before_dot)
        return outcome

    def _attempt(self, sender: str, recipient: str, mime: bytes, before_dot: BeforeDot) -> Outcome:
        wire = self._wire or self._open()
        if isinstance(wire, Outcome):
            return wire
        return (
            self._announce(wire, sender, recipient, mime)
            or self._send_body(wire, mime)
            or self._finish(wire, before_dot)
        )

    def _open(self) -> Wire | Outcome:
        settings, phase = self._settings, Phase.CONNECT
        deadline = Deadline(settings.timeouts.connect)
        try:
            self._wire = wire = (
                EncryptedWire(settings.host, settings.port, deadline, self._context())
                if settings.security is Security.TLS
                else Wire(settings.host, settings.port, deadline)
            )
            wire.local_hostname = settings.helo or _own_name(wire)
            wire.ehlo_or_helo_if_needed()
            if settings.security is Security.STARTTLS:
                phase = Phase.TLS
                code, text = wire.starttls(context=self._context())
                if code != 220:
                    return self._gave_up(phase, code, text)
                wire.ehlo_or_helo_if_needed()
            if settings.username is not None and settings.password is not None:
                phase = Phase.AUTH
                wire.login(settings.username, settings.password)
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            phase = Phase.TLS if isinstance(error, ssl.SSLError) else phase
            return self._gave_up(phase, getattr(error, "smtp_code", None), _words(error))
        return wire

    def _announce(self, wire: Wire, sender: str, recipient: str, mime: bytes) -> Outcome | None:
        options = [f"SIZE={len(mime)}"] if wire.has_extn("size") else []
        if not mime.isascii():
            if not wire.has_extn("8bitmime"):
                return Outcome(OutcomeKind.FAILED, Phase.MAIL, None, "the server takes 7-bit messages only")
            options.append("BODY=8BITMIME")
        steps = ((Phase.MAIL, f"MAIL FROM:<{sender}> {' '.join(options)}".rstrip(), {250}),
                 (Phase.RCPT, f"RCPT TO:<{recipient}>", {250, 251, 252}),
                 (Phase.DATA, "DATA", {354}))
        wire.deadline.extend(self._settings.timeouts.command)
        replies = wire.ask([command for _, command, _ in steps])
        for phase, _, expected in steps:
            try:
                code, text = next(replies)
            except (OSError, smtplib.SMTPException) as error:
                return self._gave_up(phase, None, _words(error))
            if code not in expected:
                return self._refused(wire, phase, code, text)
        return None

    def _send_body(self, wire: Wire, mime: bytes) -> Outcome | None:
        body = (b"." if mime.startswith(b".") else b"") + mime.replace(b"\r\n.", b"\r\n..")
        wire.deadline.extend(self._settings.timeouts.data)
        try:
            wire.send(body if body.endswith(b"\r\n") else body + b"\r\n")
            if not wire.has_spoken():
                return None
            # A server that answers before the dot has not taken the message: still safe to repeat.
            code, text = wire.getreply()
        except (OSError, smtplib.SMTPException) as error:
            return self._gave_up(Phase.DATA, None, _words(error))
        self._hang_up()
        return _verdict(Phase.DATA, code, text)

    def _finish(self, wire: Wire, before_dot: BeforeDot) -> Outcome:
        if before_dot() is False:
            self._hang_up()
            return Outcome(OutcomeKind.ABORTED, Phase.DATA, None, "stopped before the end of the message")
        wire.deadline.extend(self._settings.timeouts.dot)
        try:
            wire.send(b".\r\n")
            code, text = wire.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()
            return Outcome(OutcomeKind.UNCERTAIN, Phase.DOT, None, _words(error))
        if 200 <= code < 300:
            return Outcome(OutcomeKind.SENT, Phase.DOT, code, _one_line(text))
        if 400 <= code < 600:
            return self._refused(wire, Phase.DOT, code, text)
        self._hang_up()
        return Outcome(OutcomeKind.UNCERTAIN, Phase.DOT, None, _one_line(text))

    def _refused(self, wire: Wire, phase: Phase, code: int, text: bytes) -> Outcome:
        if code == 421 or not 400 <= code < 600:
            self._hang_up()
        elif phase is not Phase.DOT:
            self._reset(wire)
        return _verdict(phase, code, text)

    def _reset(self, wire: Wire) -> None:
        wire.deadline.extend(self._settings.timeouts.command)
        try:
            # A server that now waits for a body would take the next command for one.
            if all(code != 354 for code, _ in wire.rest()) and wire.rset()[0] == 250:
                return
        except (OSError, smtplib.SMTPException):
            pass
        self._hang_up()

    def _gave_up(self, phase: Phase, code: int | None, text: bytes | str) -> Outcome:
        # What a server says before MAIL is about itself or about us: no message is refused for good by it.
        self._hang_up()
        return Outcome(OutcomeKind.RETRY, phase, code if code and code > 0 else None, _one_line(text))

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=self._settings.ca_file)
        return self._tls

    def _hang_up(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            with suppress(OSError):
                wire.close()

    def _quit(self) -> None:
        if self._wire is not None:
            # The outcome is already known; a server that answers QUIT late must not hold up the next message.
            self._wire.deadline.extend(min(5.0, self._settings.timeouts.command))
            with suppress(OSError, smtplib.SMTPException):
                self._wire.docmd("QUIT")
        self._hang_up()


def _verdict(phase: Phase, code: int, text: bytes) -> Outcome:
    for_good = 500 <= code < 600 and code not in _ABOUT_US
    return Outcome(OutcomeKind.FAILED if for_good else OutcomeKind.RETRY, phase, code, _one_line(text))


def _unsendable(sender: str, recipient: str, mime: bytes) -> Outcome | None:
    for address in (sender, recipient):
        if not _ADDRESS.match(address) or "@" not in address:
            return Outcome(OutcomeKind.FAILED, Phase.MAIL, None, "not an address that mail can be sent to")
    lines = mime.split(b"\r\n")
    joined = b"".join(lines)
    if b"\r" in joined or b"\n" in joined or b"\0" in joined:
        return Outcome(OutcomeKind.FAILED, Phase.DATA, None, "the message has bare line ends or null bytes")
    if max(map(len, lines)) > _LINE_LIMIT:
        return Outcome(OutcomeKind.FAILED, Phase.DATA, None, "the message has a line of more than 998 bytes")
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _own_name(wire: Wire) -> str:
    name = socket.gethostname()
    if "." in name and name.isascii():
        return name
    address = str(wire.sock.getsockname()[0]) if wire.sock is not None else "127.0.0.1"
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _words(error: Exception) -> str:
    said = getattr(error, "smtp_error", None)
    return _one_line(said) if said else _one_line(f"{type(error).__name__}: {error}")


def _one_line(text: bytes | str) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())[:500]
