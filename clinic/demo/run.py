"""Runs the demo: a temporary database, the clinic's last months, pages and messages; nothing stays behind."""
from __future__ import annotations

import signal
import socket
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from clinic.app import Kit, serve_pages
from clinic.clock import system_clock
from clinic.demo.build import build
from clinic.demo.large import build_large
from clinic.demo.people import ACCOUNTS, PASSWORD
from clinic.logs import configure
from clinic.messages.mailbox import MailboxTransport
from clinic.settings import Settings
from clinic.store.engine import open_engine
from clinic.store.migrate import upgrade

PORTS_TRIED = 50
SMALL = "Bringing a clinic to life: 17 weeks of two sites, 6 practitioners and 60 patients …"
LARGE = "Moving a clinic in: two years of three sites, 20 practitioners and 400 patients …"


def run(host: str, port: int, *, say: Callable[[str], None], is_large: bool = False) -> None:
    """Serves the demo until it is interrupted; takes the next free port if `port` is taken."""
    configure("warning")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="clinic-demo-", ignore_cleanup_errors=True) as folder:
        port = free_port(host, port)
        address = f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0') else host}:{port}"
        url = f"sqlite:///{Path(folder) / 'clinic.sqlite3'}"
        settings = Settings.from_env({
            "CLINIC_DATA_DIR": folder, "CLINIC_DATABASE_URL": url, "CLINIC_BASE_URL": address,
            "CLINIC_HOST": host, "CLINIC_PORT": str(port)})
        say(LARGE if is_large else SMALL)
        engine = open_engine(url, durable=False)
        upgrade(engine)
        (build_large if is_large else build)(engine, now=system_clock())
        try:
            serve_pages(
                Kit(settings, engine, system_clock, MailboxTransport), host, port, with_worker=True,
                ready=lambda: _introduce(address, say, is_large))
        finally:
            engine.dispose()


def free_port(host: str, port: int) -> int:
    """The first free port from `port` on; OSError where many in a row are taken."""
    for tried in range(port, min(port + PORTS_TRIED, 65536)):
        with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, tried))
            except OSError:
                continue
            return tried
    raise OSError(f"no free port from {port} to {port + PORTS_TRIED - 1}")


def _introduce(address: str, say: Callable[[str], None], is_large: bool) -> None:
    say(f"\n  {address}\n\n  Sign in with the password  {PASSWORD}  as")
    for email, name, role in ACCOUNTS:
        say(f"    {email:<38} {name}, {role}")
    if is_large:
        say("\n  This clinic has just moved in: messages wait until the manager releases them on the Messages page.")
    say("\n  Messages go to a mailbox inside the demo and never leave this machine. Stop with Ctrl+C.")
