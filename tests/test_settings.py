"""What an installation can be told: unknown and unsafe settings are refused by name, with what to do."""
from __future__ import annotations

import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clinic.settings import Settings, SettingsFaults

SAFE = {"CLINIC_SECRET_KEY": "s" * 32}


def read(**given: str) -> Settings:
    return Settings.from_env({**SAFE, **{f"CLINIC_{name}": value for name, value in given.items()}})


def faults(**given: str) -> tuple[str, ...]:
    with pytest.raises(SettingsFaults) as refused:
        read(**given)
    return refused.value.faults


def test_without_any_setting_there_is_a_database_beside_its_secret_on_this_machine(tmp_path: Path) -> None:
    found = Settings.from_env({"CLINIC_DATA_DIR": str(tmp_path / "data"), "PATH": "/bin", "CLINICAL": "x"})

    assert (found.data_dir, found.database_url) == (tmp_path / "data", f"sqlite:///{tmp_path}/data/clinic.sqlite3")
    assert (found.host, found.port, found.base_url) == ("127.0.0.1", 8000, "http://localhost:8000")
    assert (found.smtp_host, found.smtp_tls, found.secure) == (None, "starttls", False)
    assert found.hosts == ("127.0.0.1", "::1", "localhost")
    assert len(found.secret_key) >= 32


def test_every_setting_is_read_in_its_type() -> None:
    found = read(
        DATABASE_URL="postgresql://desk@db/clinic", BASE_URL="https://clinic.example/", HOST="0.0.0.0", PORT="9000",
        TRUSTED_PROXIES="1", SMTP_HOST="mail.example", SMTP_PORT="465", SMTP_USER="desk", SMTP_PASSWORD="pass word",
        SMTP_TLS="tls", SMTP_PER_MINUTE="90", LOG_LEVEL="warning", DATA_DIR="/var/lib/clinic",
        BOUNCE_ADDRESS="Returned@clinic.example", BOUNCE_FOLDER="/var/mail/returned")

    assert found == Settings(
        data_dir=Path("/var/lib/clinic"), database_url="postgresql://desk@db/clinic", secret_key="s" * 32,
        base_url="https://clinic.example", host="0.0.0.0", port=9000, trusted_proxies=1, smtp_host="mail.example",
        smtp_port=465, smtp_user="desk", smtp_password="pass word", smtp_tls="tls", smtp_per_minute=90,
        bounce_address="returned@clinic.example", bounce_folder=Path("/var/mail/returned"), log_level="warning")
    assert (found.secure, found.hosts) == (True, ("clinic.example",))


def test_a_setting_that_nobody_knows_is_refused_by_its_name() -> None:
    assert faults(DATABSE_URL="sqlite:///x", smtp_host="mail") == (
        "CLINIC_DATABSE_URL is not a setting; see the README for those that are",
        "CLINIC_smtp_host is not a setting; see the README for those that are",
    )


@pytest.mark.parametrize("name, value, text", [
    *[("BOUNCE_ADDRESS", value, "CLINIC_BOUNCE_ADDRESS must be like returned@clinic.example: at most 30 characters "
       f"without a plus sign before the @, not {value!r}")
      for value in ("returned", "re+turned@c.example", f"{'r' * 31}@c.example", "a b@c.example", ".a@c.example", "a@")],
    ("PORT", "0", "CLINIC_PORT must be a whole number from 1 to 65535, not '0'"),
    ("PORT", "65536", "CLINIC_PORT must be a whole number from 1 to 65535, not '65536'"),
    ("SMTP_PER_MINUTE", "0", "CLINIC_SMTP_PER_MINUTE must be a whole number from 1 to 10000, not '0'"),
    ("PORT", "", "CLINIC_PORT must be a whole number from 1 to 65535, not ''"),
    ("PORT", "80 80", "CLINIC_PORT must be a whole number from 1 to 65535, not '80 80'"),
    ("SMTP_PORT", "smtp", "CLINIC_SMTP_PORT must be a whole number from 1 to 65535, not 'smtp'"),
    ("TRUSTED_PROXIES", "-1", "CLINIC_TRUSTED_PROXIES must be a whole number from 0 to 5, not '-1'"),
    ("LOG_LEVEL", "loud", "CLINIC_LOG_LEVEL must be one of debug, info, warning, error, not 'loud'"),
    ("SMTP_TLS", "ssl", "CLINIC_SMTP_TLS must be one of starttls, tls, none, not 'ssl'"),
])
def test_a_value_out_of_its_range_is_refused_with_the_range(name: str, value: str, text: str) -> None:
    assert faults(**{name: value}) == (text,)


@pytest.mark.parametrize("url", [
    "mysql://db/clinic", "clinic.sqlite3", "", "sqlite", "sqlite:clinic", "postgresql:clinic", "postgresql://db:port/x",
    "postgresql://db:99999/x", "http://[",
])
def test_a_database_of_another_kind_or_form_is_refused(url: str) -> None:
    assert faults(DATABASE_URL=url) == ("CLINIC_DATABASE_URL must begin with sqlite:/// or postgresql://",)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://clinic.db"])
def test_a_database_that_would_keep_nothing_is_refused(url: str) -> None:
    assert faults(DATABASE_URL=url) == (
        "CLINIC_DATABASE_URL must name a file after sqlite:///, or nothing would be kept",)


def test_a_password_in_the_address_of_the_database_is_never_told() -> None:
    assert "hunter2" not in str(faults(DATABASE_URL="postgresql://desk:hunter2@db:port/x"))


@pytest.mark.parametrize("url, text", [
    ("clinic.example", "must be the address in the browser"), ("ftp://clinic.example", "must be the address"),
    ("https://", "must be the address"), ("http://[", "must be the address"), ("https://x:port", "must be the address"),
    ("http://clinic.example", "must be https:// unless it is this machine"),
    ("http://192.168.1.5:8000", "must be https:// unless it is this machine"),
    ("https://clinic.example/desk", "must end with the host or its port"),
    ("https://user@clinic.example", "must end with the host or its port"),
])
def test_an_address_that_browsers_could_not_use_safely_is_refused(url: str, text: str) -> None:
    (fault,) = faults(BASE_URL=url)

    assert fault.startswith(f"CLINIC_BASE_URL {text}")


@pytest.mark.parametrize("url", ["http://localhost:9000", "http://127.0.0.1", "http://[::1]:8000"])
def test_this_machine_needs_no_certificate(url: str) -> None:
    assert read(BASE_URL=url).base_url == url


def test_messages_leave_readable_for_this_machine_only() -> None:
    assert faults(SMTP_TLS="none", SMTP_HOST="mail.example") == (
        "CLINIC_SMTP_TLS=none is allowed only to this machine: messages would travel readable",)
    assert read(SMTP_TLS="none", SMTP_HOST="127.0.0.1").smtp_tls == "none"


def test_a_password_without_a_user_and_a_short_secret_are_refused_together() -> None:
    with pytest.raises(SettingsFaults) as refused:
        Settings.from_env({"CLINIC_SMTP_PASSWORD": "x", "CLINIC_SECRET_KEY": "short", "CLINIC_PORT": "no"})

    assert refused.value.faults == (
        "CLINIC_PORT must be a whole number from 1 to 65535, not 'no'",
        "CLINIC_SECRET_KEY must have at least 32 characters; leave it out and one is made",
        "CLINIC_SMTP_PASSWORD needs CLINIC_SMTP_USER",
    )


def test_the_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    environ = {"CLINIC_DATA_DIR": str(tmp_path / "a" / "b")}

    first, second = Settings.from_env(environ), Settings.from_env(environ)

    path = tmp_path / "a" / "b" / "secret.key"
    assert first.secret_key == second.secret_key == path.read_text()
    assert re.fullmatch(r"[0-9a-f]{64}", first.secret_key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["secret.key"]


def test_the_secret_stays_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Settings.from_env({"CLINIC_DATA_DIR": str(tmp_path / "data")})
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "data" / "secret.key").stat().st_mode) == 0o600


def test_many_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    environ = {"CLINIC_DATA_DIR": str(tmp_path / "data")}

    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: Settings.from_env(environ).secret_key, range(64)))

    assert len(found) == 1
    assert os.listdir(tmp_path / "data") == ["secret.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret.key"
    path.write_text("k" * 64)
    path.chmod(mode)

    with pytest.raises(SettingsFaults, match=re.escape(f"{path} can be read by others: run chmod 600 on it")):
        Settings.from_env({"CLINIC_DATA_DIR": str(tmp_path)})


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.touch(0o600)

    with pytest.raises(SettingsFaults, match="holds no usable secret: remove it and a new one is made"):
        Settings.from_env({"CLINIC_DATA_DIR": str(tmp_path)})


def test_a_folder_that_is_a_file_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingsFaults, match=r"CLINIC_DATA_DIR .*/file cannot be used"):
        Settings.from_env({"CLINIC_DATA_DIR": str(tmp_path / "file")})


def test_a_given_secret_writes_nothing(tmp_path: Path) -> None:
    read(DATA_DIR=str(tmp_path / "data"))

    assert not (tmp_path / "data").exists()


def test_a_wrong_setting_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(SettingsFaults):
        Settings.from_env({"CLINIC_DATA_DIR": str(tmp_path / "data"), "CLINIC_PORT": "x"})

    assert not (tmp_path / "data").exists()
