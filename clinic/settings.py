"""What a clinic's installation can be told: `CLINIC_*` variables, typed, and refused where unknown or unsafe."""
from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

T = TypeVar("T")

PREFIX = "CLINIC_"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_BOUNCE_ADDRESS = re.compile(r"(?!.*\.\.|\.)[a-z0-9._-]{1,30}(?<!\.)@[a-z0-9][a-z0-9.-]{0,200}[a-z0-9]\Z", re.ASCII)
_TLS = ("starttls", "tls", "none")


class SettingsFaults(ValueError):
    """What is wrong with the settings, each fault with its variable and what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Settings:
    """One installation. `mail` says whether messages leave by SMTP."""

    data_dir: Path
    database_url: str
    secret_key: str
    base_url: str
    host: str = "127.0.0.1"
    port: int = 8000
    trusted_proxies: int = 0
    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_user: str | None = None
    smtp_password: str | None = None
    smtp_tls: str = "starttls"
    smtp_per_minute: int | None = None
    bounce_address: str | None = None
    bounce_folder: Path | None = None
    log_level: str = "info"

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https, so that cookies must never travel otherwise."""
        return self.base_url.startswith("https://")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names under which we answer."""
        named = urlsplit(self.base_url).hostname or "localhost"
        return tuple(sorted({named, *_LOOPBACK} if named in _LOOPBACK else {named}))

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """The settings of these variables; SettingsFaults names everything unknown, malformed or unsafe at once."""
        return _Reader(environ).settings()


class _Reader:
    """Reads each variable once and collects what is wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.given = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
        self.known: set[str] = set()
        self.faults: list[str] = []

    def settings(self) -> Settings:
        data_dir = Path(self._text("DATA_DIR", "clinic-data")).expanduser().absolute()
        database_url = self._text("DATABASE_URL", f"sqlite:///{data_dir / 'clinic.sqlite3'}")
        port = self._number("PORT", 8000, 1, 65535)
        base_url = self._text("BASE_URL", f"http://localhost:{port}").rstrip("/")
        found = {
            "host": self._text("HOST", "127.0.0.1"),
            "trusted_proxies": self._number("TRUSTED_PROXIES", 0, 0, 5),
            "smtp_host": self._text("SMTP_HOST", "") or None,
            "smtp_port": self._number("SMTP_PORT", 587, 1, 65535),
            "smtp_user": self._text("SMTP_USER", "") or None,
            "smtp_password": self._text("SMTP_PASSWORD", "") or None,
            "smtp_tls": self._one_of("SMTP_TLS", "starttls", _TLS),
            "smtp_per_minute": self._number_or_none("SMTP_PER_MINUTE", 1, 10_000),
            "bounce_address": self._bounce_address(),
            "bounce_folder": self._folder("BOUNCE_FOLDER"),
            "log_level": self._one_of("LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
        }
        secret = self._text("SECRET_KEY", "")
        self._judge_safety(database_url, base_url, secret, found)
        for name in sorted(set(self.given) - self.known):
            self.faults.append(f"{name} is not a setting; see the README for those that are")
        if self.faults:
            raise SettingsFaults(self.faults)
        return Settings(
            data_dir=data_dir, database_url=database_url, base_url=base_url, port=port,
            secret_key=secret or _kept_secret(data_dir), **found,  # type: ignore[arg-type]
        )

    def _text(self, name: str, default: str) -> str:
        self.known.add(PREFIX + name)
        return self.given.get(PREFIX + name, default).strip()

    def _number(self, name: str, default: int, low: int, high: int) -> int:
        text = self._text(name, str(default))
        return self._checked(name, text, default, lambda: low <= int(text) <= high, int,
                             f"must be a whole number from {low} to {high}")

    def _number_or_none(self, name: str, low: int, high: int) -> int | None:
        return self._number(name, low, low, high) if self._text(name, "") else None

    def _bounce_address(self) -> str | None:
        text = self._text("BOUNCE_ADDRESS", "").lower()
        return self._checked("BOUNCE_ADDRESS", text, "", lambda: not text or bool(_BOUNCE_ADDRESS.match(text)), str,
                             "must be like returned@clinic.example: at most 30 characters without a plus sign before "
                             "the @") or None

    def _folder(self, name: str) -> Path | None:
        text = self._text(name, "")
        return Path(text).expanduser().absolute() if text else None

    def _one_of(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        text = self._text(name, default)
        return self._checked(name, text, default, lambda: text in allowed, str, f"must be one of {', '.join(allowed)}")

    def _checked(
        self, name: str, text: str, default: T, holds: Callable[[], bool], kind: Callable[[str], T], rule: str
    ) -> T:
        try:
            if holds():
                return kind(text)
        except ValueError:
            pass
        self.faults.append(f"{PREFIX}{name} {rule}, not {text!r}")
        return default

    def _judge_safety(self, database_url: str, base_url: str, secret: str, found: Mapping[str, object]) -> None:
        self._judge_database(database_url)
        where = _address(base_url)
        if where is None or where.scheme not in ("http", "https") or not where.hostname:
            self.faults.append("CLINIC_BASE_URL must be the address in the browser, such as https://clinic.example")
        elif where.path or where.query or where.fragment or where.username is not None:
            self.faults.append("CLINIC_BASE_URL must end with the host or its port: the pages are served at its root")
        elif where.scheme == "http" and where.hostname not in _LOOPBACK:
            self.faults.append("CLINIC_BASE_URL must be https:// unless it is this machine: patients' data would "
                               "travel unprotected")
        if secret and len(secret) < 32:
            self.faults.append("CLINIC_SECRET_KEY must have at least 32 characters; leave it out and one is made")
        if found["smtp_tls"] == "none" and found["smtp_host"] not in (*_LOOPBACK, None):
            self.faults.append("CLINIC_SMTP_TLS=none is allowed only to this machine: messages would travel readable")
        if found["smtp_password"] and not found["smtp_user"]:
            self.faults.append("CLINIC_SMTP_PASSWORD needs CLINIC_SMTP_USER")


    def _judge_database(self, url: str) -> None:
        where = _address(url)
        kind = where.scheme.split("+", 1)[0] if where else ""
        if where is None or kind not in ("sqlite", "postgresql") or "://" not in url:
            self.faults.append("CLINIC_DATABASE_URL must begin with sqlite:/// or postgresql://")
        elif kind == "sqlite" and (where.netloc or where.path in ("", "/", "/:memory:")):
            self.faults.append("CLINIC_DATABASE_URL must name a file after sqlite:///, or nothing would be kept")


def _address(url: str) -> SplitResult | None:
    """An address in its parts; none where it has none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _kept_secret(data_dir: Path) -> str:
    """The secret beside the database, made once, readable by its owner only."""
    path = data_dir / "secret.key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _make_secret(path)
        if path.stat().st_mode & 0o077:
            raise SettingsFaults([f"{path} can be read by others: run chmod 600 on it"])
        kept = path.read_text().strip()
    except OSError as error:
        raise SettingsFaults([
            f"CLINIC_DATA_DIR {data_dir} cannot be used ({error.strerror}): name a folder that can be written"
        ]) from None
    if len(kept) < 32:
        raise SettingsFaults([f"{path} holds no usable secret: remove it and a new one is made"])
    return kept


def _make_secret(path: Path) -> None:
    """Writes a new secret beside its place and links it there: whoever starts now finds it whole, or not at all."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
