"""The sink is a witness: what it says must be true, also when it is killed."""
from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

from clinic.messages.smtp import Security, SmtpSettings, SmtpTransport
from clinic.messages.transport import OutcomeKind
from tests.sink import Accepted, Faults, Sink, read_log

PROGRAM = Path(__file__).parents[1] / "sink.py"
MIME = b"Message-ID: <1@mail.example>\r\n\r\nHello\r\n"
TAKEN = Accepted("<1@mail.example>", hashlib.sha256(MIME).hexdigest(), "ana@home.example", True)


def _deliver(port: int) -> OutcomeKind:
    transport = SmtpTransport(SmtpSettings("localhost", port, Security.NONE))
    return transport.deliver("hello@harbour.example", "ana@home.example", MIME, before_dot=lambda: None).kind


def _start(log: Path, *more: str) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, str(PROGRAM), "--port", "0", "--log", str(log), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline().split()[1])


def test_a_killed_sink_has_logged_everything_it_answered(tmp_path: Path) -> None:
    process, port = _start(tmp_path / "log")

    kinds = [_deliver(port) for _ in range(3)]
    process.kill()
    process.communicate()

    assert kinds == [OutcomeKind.SENT] * 3
    assert read_log(tmp_path / "log") == [TAKEN] * 3


def test_a_sink_on_its_own_says_what_it_did_when_it_ends(tmp_path: Path) -> None:
    process, port = _start(tmp_path / "log", "--faults", '{"quit_421": 1.0}', "--seed", "5")

    kind = _deliver(port)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=20)

    counts = json.loads(said)
    assert kind is OutcomeKind.SENT
    assert (counts["accepted"], counts["quit_421"], counts["connections"], process.returncode) == (1, 1, 1, 0)


def test_the_same_seed_draws_the_same_faults(tmp_path: Path) -> None:
    faults = Faults(mail_4xx=0.5)
    drawn = []
    for _ in range(2):
        with Sink(tmp_path / "log", faults, seed=11) as sink:
            drawn.append([_deliver(sink.port) for _ in range(12)])

    assert drawn[0] == drawn[1]
    assert set(drawn[0]) == {OutcomeKind.SENT, OutcomeKind.RETRY}


def test_a_line_that_a_kill_cut_short_was_never_answered(tmp_path: Path) -> None:
    with Sink(tmp_path / "log") as sink:
        _deliver(sink.port)
    with (tmp_path / "log").open("ab") as log:
        log.write(b'{"message_id": "<2@ma')

    assert read_log(tmp_path / "log") == [TAKEN]
