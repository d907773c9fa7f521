"""A mail server that misbehaves on purpose, and remembers exactly what it took.

Each accepted message is written to a log and forced to disk before the answer to the dot is sent, so that the
log says what a real server would have delivered, whatever is killed afterwards. Faults are drawn from a seed.
Runs inside a test (`with Sink(...)`) or alone: `python tests/sink.py --port 0 --log FILE --faults JSON --seed 1`.
"""
from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import random
import signal
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

_MOST_CONNECTIONS = 64
_IDLE = 60.0


@dataclass(frozen=True, slots=True)
class Faults:
    """How likely each fault is, from 0 to 1; `slow_for` is how long a slow reply to the dot takes, in seconds."""

    mail_4xx: float = 0.0
    mail_421: float = 0.0
    rcpt_421: float = 0.0
    rcpt_4xx: float = 0.0
    data_4xx: float = 0.0
    dot_4xx: float = 0.0
    rcpt_5xx: float = 0.0
    drop_before_data: float = 0.0
    drop_in_body: float = 0.0
    drop_after_accept: float = 0.0
    quit_421: float = 0.0
    slow_reply: float = 0.0
    slow_for: float = 0.2


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message that the sink took, and when: `answered` is False where it swallowed the reply."""

    message_id: str
    sha256: str
    recipient: str
    answered: bool
    at: float = field(default=0.0, compare=False)


class Sink:
    """Listens on a loopback port; every connection has a thread, of which there are a bounded number."""

    def __init__(
        self, log: Path, faults: Faults | None = None, *, seed: int = 0, port: int = 0,
        tls: ssl.SSLContext | None = None, pipelining: bool = False, starttls: ssl.SSLContext | None = None,
        password: str | None = None, greylists: bool = False, nobody: Collection[str] = (),
    ) -> None:
        """`tls` encrypts from the first byte, `starttls` when asked to; with a `password` whoever sends must know it.
        One that `greylists` asks for later when it first hears of a recipient; `nobody` are those it does not know."""
        self._log_path = log
        self._faults = faults or Faults()
        self._chance = random.Random(seed)
        self._tls = tls
        self.starttls, self.password, self.nobody = starttls, password, frozenset(nobody)
        self.extensions = (
            "8BITMIME", "SIZE 10000000", *(("PIPELINING",) if pipelining else ()), *(("STARTTLS",) if starttls else ()),
            *(("AUTH PLAIN",) if password else ()))
        self._greeted: set[str] | None = set() if greylists else None
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.counts: Counter[str] = Counter()
        self.commands: list[str] = []
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        self._open: set[socket.socket] = set()
        self._stopping = threading.Event()
        self._log = log.open("ab")
        self._thread = threading.Thread(target=self._listen, name="sink", daemon=True)

    def start(self) -> Self:
        """Begin to take connections."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Take no more connections and cut those that are open."""
        self._stopping.set()
        # A blocked accept is not woken by close: a connection of our own is.
        with socket.create_connection(("127.0.0.1", self.port), timeout=5):
            pass
        self._thread.join(timeout=10)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                _cut(connection)
        for _ in range(_MOST_CONNECTIONS):
            self._room.acquire(timeout=10)
        self._log.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def accepted(self) -> list[Accepted]:
        """Every message that was taken, in order, as the log on disk has it."""
        return read_log(self._log_path)

    def happens(self, fault: str) -> bool:
        """Draw whether a fault happens now, and count it."""
        with self._lock:
            drawn: bool = self._chance.random() < getattr(self._faults, fault)
            self.counts[fault] += drawn
            return drawn

    def note(self, what: str) -> None:
        """Count something that happened."""
        with self._lock:
            self.counts[what] += 1

    def is_new(self, recipient: str) -> bool:
        """Whether a recipient has to be asked for once more, as greylisting has it."""
        with self._lock:
            if self._greeted is None or recipient in self._greeted:
                return False
            self._greeted.add(recipient)
            self.counts["greylisted"] += 1
            return True

    def follows(self, before: socket.socket, after: socket.socket | None) -> None:
        """A connection goes on as another, or is over: that is what would be cut now."""
        with self._lock:
            self._open.discard(before)
            self._open.update({after} - {None})

    def heard(self, command: str) -> None:
        """Keep a command for tests that look at the conversation."""
        with self._lock:
            self.commands.append(command)

    def keep(self, recipient: str, body: bytes, *, answered: bool) -> None:
        """Write one accepted message to the log and force it to disk."""
        line = {
            "message_id": str(BytesHeaderParser().parsebytes(body).get("Message-ID", "")).strip(),
            "sha256": hashlib.sha256(body).hexdigest(),
            "recipient": recipient,
            "answered": answered,
            "at": time.time(),
        }
        with self._lock:
            self.counts["accepted"] += 1
            self._log.write(json.dumps(line).encode() + b"\n")
            self._log.flush()
            os.fsync(self._log.fileno())

    @property
    def slow_for(self) -> float:
        """How long a slow reply takes."""
        return self._faults.slow_for

    def _listen(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._stopping.is_set():
                connection.close()
                return
            self._room.acquire()
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name="sink connection", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self.note("connections")
        try:
            connection.settimeout(_IDLE)
            # Several answers to what was said at once must not wait for one another.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            talk = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            with closing(_Conversation(self, talk, talk.makefile("rb"))) as conversation:
                conversation.run()
        except OSError:
            self.note("broken")
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()
            self._room.release()
            self.note("ended")


@dataclass(slots=True)
class _Conversation:
    sink: Sink
    talk: socket.socket
    lines: BinaryIO
    has_sender: bool = False
    is_known: bool = False
    recipient: str = ""
    done: bool = field(default=False)

    def run(self) -> None:
        self.say("220 sink")
        while not self.done and (line := self.lines.readline(2048)):
            command = line.rstrip(b"\r\n").decode("ascii", "replace")
            self.sink.heard(command)
            self.answer(command.upper().split(" ", 1)[0].partition(":")[0], command)

    def answer(self, verb: str, command: str) -> None:
        if verb in {"EHLO", "HELO"}:
            *first, last = ("sink", *self.sink.extensions)
            self.say("".join(f"250-{each}\r\n" for each in first) + f"250 {last}")
        elif verb == "STARTTLS" and self.sink.starttls:
            self.encrypt(self.sink.starttls)
        elif verb == "AUTH":
            self.take_password(command)
        elif verb == "MAIL":
            self.take_sender()
        elif verb == "RCPT":
            self.take_recipient(command)
        elif verb == "DATA":
            self.take_message()
        elif verb in {"RSET", "NOOP"}:
            self.has_sender = self.has_sender and verb == "NOOP"
            self.say("250 ok")
        elif verb == "QUIT":
            self.say("421 too busy to say goodbye" if self.sink.happens("quit_421") else "221 bye")
            self.done = True
        else:
            self.say("502 not known here")

    def encrypt(self, how: ssl.SSLContext) -> None:
        self.say("220 go on")
        self.lines.close()
        before, self.talk = self.talk, how.wrap_socket(self.talk, server_side=True)
        self.lines = self.talk.makefile("rb")
        self.sink.follows(before, self.talk)

    def take_password(self, command: str) -> None:
        given = base64.b64decode(command.rpartition(" ")[2]).rpartition(b"\0")[2].decode()
        self.is_known = given == self.sink.password
        self.say("235 welcome" if self.is_known else "535 not with this password")

    def take_sender(self) -> None:
        if self.sink.password and not self.is_known:
            self.say("530 who are you?")
            return
        if self.sink.happens("mail_421"):
            self.send_away()
            return
        self.has_sender, self.recipient = not self.sink.happens("mail_4xx"), ""
        self.say("250 sender ok" if self.has_sender else "451 try later (mail)")

    def take_recipient(self, command: str) -> None:
        if not self.has_sender:
            self.say("503 from whom?")
            return
        recipient = command.partition("<")[2].partition(">")[0]
        if recipient in self.sink.nobody:
            self.say("550 5.1.1 nobody of that name")
        elif self.sink.is_new(recipient):
            self.say("450 4.2.0 greylisted, try later")
        elif self.sink.happens("rcpt_421"):
            self.send_away()
        elif self.sink.happens("rcpt_4xx"):
            self.say("450 try later (rcpt)")
        elif self.sink.happens("rcpt_5xx"):
            self.say("550 nobody of that name")
        else:
            self.recipient = recipient
            self.say("250 recipient ok")

    def take_message(self) -> None:
        if not self.recipient:
            self.say("503 to whom?")
            return
        if self.sink.happens("drop_before_data"):
            self.drop()
            return
        if self.sink.happens("data_4xx"):
            self.say("451 try later (data)")
            return
        self.say("354 go on")
        if self.sink.happens("drop_in_body"):
            self.lines.readline(2048)
            self.drop()
            return
        body = self.body()
        if body is not None:
            self.end_message(body)

    def end_message(self, body: bytes) -> None:
        if self.sink.happens("dot_4xx"):
            self.say("452 try later (dot)")
            return
        swallowed = self.sink.happens("drop_after_accept")
        self.sink.keep(self.recipient, body, answered=not swallowed)
        self.has_sender, self.recipient = False, ""
        if swallowed:
            self.drop()
            return
        if self.sink.happens("slow_reply"):
            time.sleep(self.sink.slow_for)
        self.say("250 taken")

    def body(self) -> bytes | None:
        """The message as it was before dot-stuffing; None where the connection ended before the dot."""
        kept: list[bytes] = []
        while line := self.lines.readline():
            if line == b".\r\n":
                return b"".join(kept)
            kept.append(line[1:] if line.startswith(b".") else line)
        self.sink.note("no_dot")
        return None

    def send_away(self) -> None:
        self.say("421 4.3.2 closing, come back later")
        self.done = True

    def close(self) -> None:
        self.lines.close()
        self.talk.close()
        self.sink.follows(self.talk, None)

    def drop(self) -> None:
        self.done = True
        _cut(self.talk)

    def say(self, text: str) -> None:
        self.talk.sendall(f"{text}\r\n".encode("ascii"))


def read_log(path: Path) -> list[Accepted]:
    """What a sink's log holds; a last line that a kill cut short was never answered and is left out."""
    found = []
    for line in path.read_bytes().split(b"\n")[:-1]:
        entry = json.loads(line)
        found.append(Accepted(
            entry["message_id"], entry["sha256"], entry["recipient"], entry["answered"], entry["at"]))
    return found


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def main() -> None:
    """Run until interrupted; the first line on standard output is `port N`, the last the counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--faults", type=json.loads, default={})
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pipelining", action="store_true")
    asked = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Sink(asked.log, Faults(**asked.faults), seed=asked.seed, port=asked.port,
              pipelining=asked.pipelining) as sink:
        sys.stdout.write(f"port {sink.port}\n")
        sys.stdout.flush()
        stop.wait()
    sys.stdout.write(json.dumps(dict(sink.counts)) + "\n")


if __name__ == "__main__":
    main()
