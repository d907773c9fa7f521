"""What every way of handing over a message promises, and how it says what happened."""
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class OutcomeKind(StrEnum):
    """What became of one delivery.

    sent: the server has taken it. retry: it certainly has not, and may later. failed: it refused for good.
    uncertain: it may have it, since its answer to the final dot is not known. aborted: `before_dot` said no.
    """

    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    ABORTED = "aborted"


class Phase(StrEnum):
    """How far the conversation came."""

    CONNECT = "connect"
    TLS = "tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one delivery: what became of it, in which phase, and the server's words on one line."""

    kind: OutcomeKind
    phase: Phase
    code: int | None
    text: str


BeforeDot = Callable[[], bool | None]


class Transport(Protocol):
    """Hands over one message to one recipient. One transport belongs to one thread."""

    def connection(self) -> AbstractContextManager[None]:
        """Keep one connection for the deliveries inside the block."""
        ...

    def deliver(self, sender: str, recipient: str, mime: bytes, *, before_dot: BeforeDot) -> Outcome:
        """Hand over one message and say what became of it; trouble of network or server is an outcome, never raised.

        `before_dot` is called once, when all but the terminating dot has been sent. Where it returns False
        nothing is delivered; where it raises nothing is delivered either, and the exception is the caller's.
        """
        ...
