"""smtplib's commands under one deadline for each phase, and a look at what a server says unasked."""
from __future__ import annotations

import smtplib
import socket
import ssl
import time
from collections.abc import Iterator, Sequence


class Deadline:
    """An instant of the monotonic clock after which waiting ends."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def extend(self, seconds: float) -> None:
        """End this many seconds from now."""
        self._ends = time.monotonic() + seconds

    def rest(self) -> float:
        """The seconds that are left; TimeoutError when there are none."""
        rest = self._ends - time.monotonic()
        if rest <= 0:
            raise TimeoutError("timed out")
        return rest


class Wire(smtplib.SMTP):
    """An SMTP connection on which no phase outlives its time, not even with a server that drips bytes."""

    def __init__(self, host: str, port: int, deadline: Deadline) -> None:
        self.deadline = deadline
        self._unheard = 0
        super().__init__(host, port, local_hostname="localhost", timeout=deadline.rest())

    def send(self, s: object) -> None:
        """Send before the deadline; smtplib disconnects when that fails."""
        if self.sock is not None:
            # The dot follows the body after a commit: waiting to fill a packet would cost 40 ms for each message.
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock.settimeout(self.deadline.rest())
        super().send(s)  # type: ignore[arg-type]  # what smtplib takes is typed by a private buffer protocol

    def getreply(self) -> tuple[int, bytes]:
        """The server's next reply; SMTPServerDisconnected when it does not come before the deadline."""
        if self.file is None and self.sock is not None:
            self.file = _Replies(self.sock, self.deadline)
        return super().getreply()

    def ask(self, commands: Sequence[str]) -> Iterator[tuple[int, bytes]]:
        """The replies to these commands, in their order. Where the server allows it (RFC 2920), all are said before the
        first is answered: a distant server is then waited for once. Whoever stops listening hears the `rest`."""
        if not self.has_extn("pipelining"):
            yield from map(self.docmd, commands)
            return
        self.send("".join(f"{command}\r\n" for command in commands))
        self._unheard = len(commands)
        yield from self.rest()

    def rest(self) -> Iterator[tuple[int, bytes]]:
        """The replies that are still to come to what was said ahead."""
        while self._unheard:
            self._unheard -= 1
            yield self.getreply()

    def has_spoken(self) -> bool:
        """Whether the server has said something unasked, or hung up."""
        return isinstance(self.file, _Replies) and self.file.has_spoken()


class EncryptedWire(Wire, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""

    def __init__(self, host: str, port: int, deadline: Deadline, context: ssl.SSLContext) -> None:
        self.deadline = deadline
        self._unheard = 0
        smtplib.SMTP_SSL.__init__(
            self, host, port, local_hostname="localhost", timeout=deadline.rest(), context=context
        )


class _Replies:
    """The lines a server sends; stands in for the file that smtplib reads them from."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._waiting = b""
        self._ended = False

    def readline(self, limit: int) -> bytes:
        while b"\n" not in self._waiting and len(self._waiting) < limit and not self._ended:
            self._sock.settimeout(self._deadline.rest())
            self._take(self._sock.recv(4096))
        end = min(self._waiting.find(b"\n") + 1 or len(self._waiting), limit)
        line, self._waiting = self._waiting[:end], self._waiting[end:]
        return line

    def has_spoken(self) -> bool:
        if not self._waiting and not self._ended:
            self._sock.settimeout(0)
            try:
                self._take(self._sock.recv(4096))
            except (BlockingIOError, ssl.SSLWantReadError):
                return False
            except OSError:
                self._ended = True
        return True

    def close(self) -> None:
        self._waiting, self._ended = b"", True

    def _take(self, found: bytes) -> None:
        self._waiting += found
        self._ended = not found
