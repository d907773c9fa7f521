"""Real conversations over loopback: each way a server can behave has exactly one outcome."""
from __future__ import annotations

import hashlib
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Server
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from clinic.messages.smtp import Security, SmtpSettings, SmtpTransport, Timeouts
from clinic.messages.transport import Outcome, OutcomeKind, Phase
from tests.ports import kept_port
from tests.sink import Faults, Sink

CERTIFICATE = Path(__file__).parent / "self_signed.pem"
SENDER, ANA = "hello@harbour.example", "ana@home.example"
MIME = b"Message-ID: <1@mail.example>\r\nSubject: Hello\r\n\r\nOne line.\r\n..two dots\r\n.one dot\r\n.\r\nThe end.\r\n"
QUICK = Timeouts(connect=5, command=5, data=5, dot=5)


def transport(port: int, security: Security = Security.NONE, **more: object) -> SmtpTransport:
    """A transport to a server on this machine."""
    settings: dict[str, object] = {"timeouts": QUICK} | more
    return SmtpTransport(SmtpSettings("localhost", port, security, **settings))  # type: ignore[arg-type]


def deliver(to: SmtpTransport, mime: bytes = MIME, before_dot: Callable[[], bool | None] = lambda: None) -> Outcome:
    """Hand over one message to Ana."""
    return to.deliver(SENDER, ANA, mime, before_dot=before_dot)


@contextmanager
def scripted(script: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server of one connection that does what the script does; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            try:
                script(connection)
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join(timeout=10)
        listener.close()


def converse(*replies: bytes, end: bytes = b"") -> Callable[[socket.socket], None]:
    """Greet, then answer each command with the next reply; `end` is what is said to the dot."""

    def script(connection: socket.socket) -> None:
        connection.sendall(b"220 here\r\n")
        lines = connection.makefile("rb")
        for reply in replies:
            lines.readline()
            connection.sendall(reply)
        while (line := lines.readline()) and line != b".\r\n":
            if line.upper() in {b"RSET\r\n", b"QUIT\r\n"}:
                connection.sendall(b"250 ok\r\n")
        if end:
            connection.sendall(end)
        lines.close()

    return script


TO_DATA = (b"250 hello\r\n", b"250 sender\r\n", b"250 recipient\r\n", b"354 go on\r\n")


def test_a_message_arrives_byte_for_byte_with_its_dots(tmp_path: Path) -> None:
    with Sink(tmp_path / "log") as sink:
        outcome = deliver(transport(sink.port))

        accepted = sink.accepted()
    assert outcome == Outcome(OutcomeKind.SENT, Phase.DOT, 250, "taken")
    assert [(each.message_id, each.sha256, each.recipient) for each in accepted] == [
        ("<1@mail.example>", hashlib.sha256(MIME).hexdigest(), ANA)
    ]


def test_a_message_without_a_line_end_gets_one(tmp_path: Path) -> None:
    with Sink(tmp_path / "log") as sink:
        deliver(transport(sink.port), MIME + b"no line end")

        accepted = sink.accepted()
    assert [each.sha256 for each in accepted] == [hashlib.sha256(MIME + b"no line end\r\n").hexdigest()]


def test_the_conversation_names_one_sender_and_one_recipient(tmp_path: Path) -> None:
    with Sink(tmp_path / "log") as sink:
        deliver(transport(sink.port, helo="worker.harbour.example"))

        assert sink.commands == [
            "ehlo worker.harbour.example", f"MAIL FROM:<{SENDER}> SIZE={len(MIME)}", f"RCPT TO:<{ANA}>", "DATA", "QUIT"
        ]


def test_a_second_opinion_agrees_on_what_arrived() -> None:
    with _second_opinion() as (inbox, port):
        outcome = deliver(transport(port))

    assert outcome.kind is OutcomeKind.SENT
    assert [(each.mail_from, each.rcpt_tos, each.content) for each in inbox.taken] == [(SENDER, [ANA], MIME)]


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize(("fault", "phase", "code"), [
    ("mail_4xx", Phase.MAIL, 451), ("rcpt_4xx", Phase.RCPT, 450), ("data_4xx", Phase.DATA, 451),
    ("dot_4xx", Phase.DOT, 452), ("drop_before_data", Phase.DATA, None),
])
def test_trouble_that_may_pass_is_to_be_tried_again(
    tmp_path: Path, fault: str, phase: Phase, code: int | None, pipelining: bool
) -> None:
    with Sink(tmp_path / "log", Faults(**{fault: 1.0}), pipelining=pipelining) as sink:
        outcome = deliver(transport(sink.port))

        assert (outcome.kind, outcome.phase, outcome.code) == (OutcomeKind.RETRY, phase, code)
        assert sink.accepted() == []


def test_a_refused_recipient_has_failed_for_good(tmp_path: Path) -> None:
    with Sink(tmp_path / "log", Faults(rcpt_5xx=1.0)) as sink:
        outcome = deliver(transport(sink.port))

    assert outcome == Outcome(OutcomeKind.FAILED, Phase.RCPT, 550, "nobody of that name")


def test_a_lost_reply_to_the_dot_is_uncertain_for_it_may_have_been_taken(tmp_path: Path) -> None:
    with Sink(tmp_path / "log", Faults(drop_after_accept=1.0)) as sink:
        outcome = deliver(transport(sink.port))

        assert (outcome.kind, outcome.phase, outcome.code) == (OutcomeKind.UNCERTAIN, Phase.DOT, None)
        assert [each.answered for each in sink.accepted()] == [False]


def test_what_happens_at_quit_changes_nothing(tmp_path: Path) -> None:
    with Sink(tmp_path / "log", Faults(quit_421=1.0)) as sink:
        outcome = deliver(transport(sink.port))

        assert outcome.kind is OutcomeKind.SENT
        assert (sink.counts["quit_421"], sink.counts["accepted"]) == (1, 1)


def test_a_server_that_hangs_up_while_the_body_comes_never_saw_the_dot(tmp_path: Path) -> None:
    with Sink(tmp_path / "log", Faults(drop_in_body=1.0)) as sink:
        asked: list[str] = []
        large = MIME + b"x" * 70 + b"\r\n" + b"".join(b"y" * 70 + b"\r\n" for _ in range(200_000))

        outcome = deliver(transport(sink.port), large, lambda: asked.append("dot"))

    assert (outcome.kind, outcome.phase) == (OutcomeKind.RETRY, Phase.DATA)
    assert asked == []


def test_a_server_that_speaks_before_the_dot_has_not_taken_the_message() -> None:
    spoken = threading.Event()

    def script(connection: socket.socket) -> None:
        connection.sendall(b"220 here\r\n")
        with connection.makefile("rb") as lines:
            for reply in TO_DATA:
                lines.readline()
                connection.sendall(reply)
            connection.sendall(b"552 too large for us\r\n")
            spoken.set()
            lines.read()

    waited: list[str] = []
    with scripted(script) as port:
        sender = transport(port)
        sender._send_body = _after(spoken, sender._send_body)  # type: ignore[method-assign]

        outcome = deliver(sender, before_dot=lambda: waited.append("dot"))

    assert (outcome, waited) == (Outcome(OutcomeKind.FAILED, Phase.DATA, 552, "too large for us"), [])


def _after(event: threading.Event, act: Callable[..., Outcome | None]) -> Callable[..., Outcome | None]:
    def later(*args: object) -> Outcome | None:
        assert event.wait(10)
        return act(*args)

    return later


@pytest.mark.parametrize(("end", "kind", "code"), [
    (b"250 ok\r\n", OutcomeKind.SENT, 250), (b"250-one\r\n250 two\r\n", OutcomeKind.SENT, 250),
    (b"421 closing\r\n", OutcomeKind.RETRY, 421), (b"554 spam\r\n", OutcomeKind.FAILED, 554),
    (b"hello?\r\n", OutcomeKind.UNCERTAIN, None), (b"25", OutcomeKind.UNCERTAIN, None),
    (b"", OutcomeKind.UNCERTAIN, None),
    (b"354 again?\r\n", OutcomeKind.UNCERTAIN, None), (b"250-never ends\r\n", OutcomeKind.UNCERTAIN, None),
    (b"x" * 20_000, OutcomeKind.UNCERTAIN, None),
])
def test_the_answer_to_the_dot_decides(end: bytes, kind: OutcomeKind, code: int | None) -> None:
    with scripted(converse(*TO_DATA, end=end)) as port:
        outcome = deliver(transport(port))

    assert (outcome.kind, outcome.phase, outcome.code) == (kind, Phase.DOT, code)


@pytest.mark.parametrize(("replies", "phase", "kind", "code"), [
    ((b"500 no ehlo\r\n", b"500 no helo\r\n"), Phase.CONNECT, OutcomeKind.RETRY, 500),
    ((b"250 hello\r\n", b"530 log in first\r\n"), Phase.MAIL, OutcomeKind.RETRY, 530),
    ((b"250 hello\r\n", b"553 not from you\r\n"), Phase.MAIL, OutcomeKind.FAILED, 553),
    ((b"250 hello\r\n", b"250 ok\r\n", b"421 later\r\n"), Phase.RCPT, OutcomeKind.RETRY, 421),
    ((*TO_DATA[:3], b"554 no message\r\n"), Phase.DATA, OutcomeKind.FAILED, 554),
    ((*TO_DATA[:3], b"250 what?\r\n"), Phase.DATA, OutcomeKind.RETRY, 250),
])
def test_each_refusal_is_told_in_its_phase(
    replies: tuple[bytes, ...], phase: Phase, kind: OutcomeKind, code: int
) -> None:
    with scripted(converse(*replies)) as port:
        outcome = deliver(transport(port))

    assert (outcome.kind, outcome.phase, outcome.code) == (kind, phase, code)


def test_a_server_that_does_not_want_us_does_not_fail_the_message() -> None:
    with scripted(lambda connection: connection.sendall(b"554 go away\r\n")) as port:
        outcome = deliver(transport(port))

    assert (outcome.kind, outcome.phase, outcome.code) == (OutcomeKind.RETRY, Phase.CONNECT, 554)


def test_nobody_at_the_port_is_trouble_that_may_pass() -> None:
    with kept_port() as port:
        outcome = deliver(transport(port))

    assert (outcome.kind, outcome.phase, outcome.code) == (OutcomeKind.RETRY, Phase.CONNECT, None)


def test_words_of_a_server_become_one_printable_line() -> None:
    with scripted(converse(*TO_DATA, end=b"250-a\tb\x1b[31m\r\n250 \xff" + b"z" * 900 + b"\r\n")) as port:
        outcome = deliver(transport(port))

    assert outcome.text.startswith("a b [31m \N{REPLACEMENT CHARACTER}zzz")
    assert (len(outcome.text), outcome.text.isprintable()) == (500, True)


def test_a_silent_server_is_not_waited_for_longer_than_its_phase() -> None:
    def silent(connection: socket.socket) -> None:
        connection.recv(1)  # until whoever waits for an answer has had enough

    quick = Timeouts(connect=0.3, command=0.3, data=0.3, dot=0.3)
    began = time.monotonic()

    with scripted(silent) as port:
        outcome = deliver(transport(port, timeouts=quick))

    assert (outcome.kind, outcome.phase) == (OutcomeKind.RETRY, Phase.CONNECT)
    assert time.monotonic() - began < 8


def test_a_server_that_drips_its_reply_cannot_stretch_its_time() -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(b"220 here\r\n")
        with connection.makefile("rb") as lines:
            for reply in TO_DATA:
                lines.readline()
                connection.sendall(reply)
            while (line := lines.readline()) and line != b".\r\n":
                pass
            for _ in range(400):
                connection.sendall(b"2")
                time.sleep(0.1)

    with scripted(script) as port:
        began = time.monotonic()
        outcome = deliver(transport(port, timeouts=Timeouts(5, 5, 5, dot=0.5)))
        took = time.monotonic() - began

    assert (outcome.kind, outcome.phase) == (OutcomeKind.UNCERTAIN, Phase.DOT)
    assert took < 20


def test_the_dot_is_asked_for_once_after_everything_else_was_sent(tmp_path: Path) -> None:
    seen: list[int] = []
    with Sink(tmp_path / "log") as sink:
        deliver(transport(sink.port), before_dot=lambda: seen.append(len(sink.accepted())))

        assert (seen, len(sink.accepted())) == ([0], 1)


def test_a_no_before_the_dot_delivers_nothing(tmp_path: Path) -> None:
    with Sink(tmp_path / "log") as sink:
        outcome = deliver(transport(sink.port), before_dot=lambda: False)

        _wait_for(lambda: sink.counts["no_dot"] == 1)
        assert outcome.kind is OutcomeKind.ABORTED
        assert sink.accepted() == []


def test_an_error_before_the_dot_delivers_nothing_and_is_the_callers(tmp_path: Path) -> None:
    def fenced() -> bool:
        raise LookupError("somebody else has it")

    with Sink(tmp_path / "log") as sink:
        sender = transport(sink.port)
        with pytest.raises(LookupError), sender.connection():
            deliver(sender, before_dot=fenced)

        _wait_for(lambda: sink.counts["no_dot"] == 1)
        assert sink.accepted() == []


@pytest.mark.parametrize("pipelining", [False, True])
def test_one_connection_serves_many_messages_refused_ones_among_them(tmp_path: Path, pipelining: bool) -> None:
    with Sink(tmp_path / "log", Faults(rcpt_4xx=0.3), seed=4, pipelining=pipelining) as sink:
        sender = transport(sink.port)
        with sender.connection():
            kinds = [deliver(sender).kind for _ in range(20)]

        assert sink.counts["connections"] == 1
        assert kinds.count(OutcomeKind.SENT) == len(sink.accepted()) == 20 - sink.counts["rcpt_4xx"]
        assert set(kinds) == {OutcomeKind.SENT, OutcomeKind.RETRY}


def test_a_server_that_allows_it_is_told_the_whole_envelope_before_it_answers() -> None:
    heard: list[bytes] = []

    def patient(connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        connection.sendall(b"220 here\r\n")
        lines.readline()
        connection.sendall(b"250-here\r\n250 PIPELINING\r\n")
        heard.extend(lines.readline().split(b":")[0].rstrip() for _ in range(3))
        connection.sendall(b"250 sender\r\n250 recipient\r\n354 go on\r\n")
        while lines.readline() != b".\r\n":
            pass
        connection.sendall(b"250 taken\r\n")

    with scripted(patient) as port:
        outcome = deliver(transport(port))

    assert (outcome.kind, heard) == (OutcomeKind.SENT, [b"MAIL FROM", b"RCPT TO", b"DATA"])


def test_a_server_that_waits_for_the_body_of_what_it_refused_gets_none() -> None:
    left: list[bytes] = []

    def careless(connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        connection.sendall(b"220 here\r\n")
        lines.readline()
        connection.sendall(b"250-here\r\n250 PIPELINING\r\n")
        for _ in range(3):
            lines.readline()
        connection.sendall(b"250 sender\r\n550 nobody\r\n354 go on\r\n")
        left.extend(lines.readlines())

    with scripted(careless) as port:
        sender = transport(port)
        with sender.connection():
            outcome = deliver(sender)

    assert (outcome.kind, outcome.phase, outcome.code, left) == (OutcomeKind.FAILED, Phase.RCPT, 550, [])


def test_a_kept_connection_that_the_server_closed_is_opened_again() -> None:
    connections: list[int] = []

    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve() -> None:
            for number in range(2):
                connection, _ = listener.accept()
                connections.append(number)
                with connection:
                    converse(*TO_DATA, end=b"250 ok\r\n")(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        sender = transport(listener.getsockname()[1])
        with sender.connection():
            kinds = [deliver(sender).kind for _ in range(2)]
        thread.join(timeout=10)

    assert kinds == [OutcomeKind.SENT, OutcomeKind.SENT]
    assert connections == [0, 1]


@pytest.mark.parametrize("mime", [b"a\nb\r\n", b"a\rb\r\n", b"a\0b\r\n", b"x" * 999 + b"\r\n"])
def test_bytes_that_could_be_read_in_two_ways_are_not_sent(tmp_path: Path, mime: bytes) -> None:
    with Sink(tmp_path / "log") as sink:
        outcome = deliver(transport(sink.port), mime)

        assert (outcome.kind, sink.commands) == (OutcomeKind.FAILED, [])


@pytest.mark.parametrize("address", ["a@b.example>\r\nRCPT TO:<x@y.example", "a @home.example", "á@home.example", ""])
def test_an_address_cannot_carry_a_second_command(tmp_path: Path, address: str) -> None:
    with Sink(tmp_path / "log") as sink:
        outcome = transport(sink.port).deliver(SENDER, address, MIME, before_dot=lambda: None)

        assert (outcome.kind, sink.commands) == (OutcomeKind.FAILED, [])


def test_8_bit_text_is_declared(tmp_path: Path) -> None:
    with Sink(tmp_path / "log") as sink:
        outcome = deliver(transport(sink.port), "Subject: x\r\n\r\né\r\n".encode())

        assert outcome.kind is OutcomeKind.SENT
        assert sink.commands[1].endswith(" BODY=8BITMIME")


def test_8_bit_text_is_not_sent_where_it_would_be_mangled() -> None:
    with scripted(converse(b"250 hello\r\n", b"221 bye\r\n")) as port:
        outcome = deliver(transport(port), "Subject: x\r\n\r\né\r\n".encode())

    assert outcome.kind is OutcomeKind.FAILED


class _Inbox:
    """Keeps what aiosmtpd was given."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []

    async def handle_DATA(self, server: Server, session: Session, envelope: Envelope) -> str:
        self.taken.append(envelope)
        return "250 kept"


@contextmanager
def _second_opinion(**more: object) -> Iterator[tuple[_Inbox, int]]:
    inbox = _Inbox()
    with kept_port() as port:
        controller = Controller(inbox, hostname="127.0.0.1", port=port, **more)  # type: ignore[arg-type]
        controller.start()
        try:
            yield inbox, port
        finally:
            controller.stop()


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def test_starttls_with_a_trusted_certificate_delivers() -> None:
    with _second_opinion(tls_context=_server_context(), require_starttls=True) as (inbox, port):
        outcome = deliver(transport(port, Security.STARTTLS, ca_file=CERTIFICATE))

    assert outcome == Outcome(OutcomeKind.SENT, Phase.DOT, 250, "kept")
    assert [each.content for each in inbox.taken] == [MIME]


def test_starttls_with_a_self_signed_certificate_is_refused_and_nothing_is_sent() -> None:
    with _second_opinion(tls_context=_server_context()) as (inbox, port):
        outcome = deliver(transport(port, Security.STARTTLS))

    assert (outcome.kind, outcome.phase) == (OutcomeKind.RETRY, Phase.TLS)
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.text
    assert inbox.taken == []


def test_a_server_that_offers_no_starttls_is_given_nothing(tmp_path: Path) -> None:
    with Sink(tmp_path / "log") as sink:
        outcome = deliver(transport(sink.port, Security.STARTTLS))

        assert (outcome.kind, outcome.phase) == (OutcomeKind.RETRY, Phase.TLS)
        assert [command.split()[0].upper() for command in sink.commands] == ["EHLO"]


def test_tls_from_the_first_byte_delivers(tmp_path: Path) -> None:
    with Sink(tmp_path / "log", tls=_server_context()) as sink:
        sender = transport(sink.port, Security.TLS, ca_file=CERTIFICATE)
        with sender.connection():
            outcomes = [deliver(sender).kind for _ in range(3)]

        assert outcomes == [OutcomeKind.SENT] * 3
        assert len(sink.accepted()) == 3


def test_tls_with_a_self_signed_certificate_is_refused_and_nothing_is_sent(tmp_path: Path) -> None:
    with Sink(tmp_path / "log", tls=_server_context()) as sink:
        outcome = deliver(transport(sink.port, Security.TLS))

        assert (outcome.kind, outcome.phase, sink.commands) == (OutcomeKind.RETRY, Phase.TLS, [])


def test_a_trusted_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    with Sink(tmp_path / "log", tls=_server_context()) as sink:
        settings = SmtpSettings("127.0.0.1", sink.port, Security.TLS, timeouts=QUICK, ca_file=CERTIFICATE)

        outcome = deliver(SmtpTransport(settings))

        assert (outcome.kind, outcome.phase, sink.commands) == (OutcomeKind.RETRY, Phase.TLS, [])
        assert "IP address mismatch" in outcome.text


@pytest.mark.parametrize("password", ["right", "wrong"])
def test_a_wrong_password_is_our_trouble_and_not_the_messages(password: str) -> None:
    def check(
        server: Server, session: Session, envelope: Envelope, mechanism: str, auth_data: object
    ) -> AuthResult:
        good = isinstance(auth_data, LoginPassword) and auth_data.password == b"right"
        return AuthResult(success=good, handled=False)

    more = {"tls_context": _server_context(), "authenticator": check, "auth_required": True}
    with _second_opinion(**more) as (inbox, port):
        outcome = deliver(transport(
            port, Security.STARTTLS, ca_file=CERTIFICATE, username="clinic", password=password,
        ))

    expected = (OutcomeKind.SENT, Phase.DOT, 1) if password == "right" else (OutcomeKind.RETRY, Phase.AUTH, 0)
    assert (outcome.kind, outcome.phase, len(inbox.taken)) == expected


@pytest.mark.parametrize("host", ["mail.harbour.example", "192.0.2.1", "127.0.0.1.harbour.example"])
def test_mail_leaves_this_machine_encrypted_or_not_at_all(host: str) -> None:
    with pytest.raises(ValueError):
        SmtpSettings(host, 25, Security.NONE)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_may_be_reached_without(host: str) -> None:
    assert SmtpSettings(host, 25, Security.NONE).security is Security.NONE


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(SmtpSettings("mail.example", 587, username="clinic", password="secret"))


def test_a_delivery_fits_into_the_lease_of_fifteen_minutes() -> None:
    assert Timeouts().budget < 900


@pytest.mark.parametrize("pipelining", [False, True])
def test_among_all_faults_nothing_is_lost_and_copies_exist_only_where_a_reply_was_lost(
    tmp_path: Path, pipelining: bool
) -> None:
    faults = Faults(
        mail_4xx=0.1, rcpt_4xx=0.1, data_4xx=0.1, dot_4xx=0.1, drop_before_data=0.1, drop_in_body=0.1,
        drop_after_accept=0.2, quit_421=0.2,
    )
    messages = [_numbered(number) for number in range(40)]
    order = random.Random(7)
    outcomes: dict[bytes, list[OutcomeKind]] = {mime: [] for mime in messages}
    with Sink(tmp_path / "log", faults, seed=7, pipelining=pipelining) as sink:
        sender = transport(sink.port)
        waiting = list(messages)
        while waiting:
            order.shuffle(waiting)
            with sender.connection():
                for mime in waiting:
                    outcomes[mime].append(deliver(sender, mime).kind)
            waiting = [mime for mime in waiting if outcomes[mime][-1] is not OutcomeKind.SENT]

        accepted = sink.accepted()
    for mime, kinds in outcomes.items():
        copies = [each for each in accepted if each.sha256 == hashlib.sha256(mime).hexdigest()]
        assert sum(each.answered for each in copies) == kinds.count(OutcomeKind.SENT) == 1
        assert len(copies) - 1 == sum(not each.answered for each in copies) <= kinds.count(OutcomeKind.UNCERTAIN)
    assert len({each.sha256 for each in accepted}) == len(messages)


def _numbered(number: int) -> bytes:
    message = Message()
    message["Message-ID"] = f"<{number}@mail.example>"
    return message.as_bytes().replace(b"\n", b"\r\n") + b"One line.\r\n"


def _wait_for(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 5
    while not condition() and time.monotonic() < ends:
        time.sleep(0.01)
    assert condition()
