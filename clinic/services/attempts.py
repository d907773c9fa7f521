"""Attempts of strangers, counted before anything is done for them; every process counts in the one database."""
from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import timedelta

import sqlalchemy as sa

from clinic.services.work import UnitOfWork
from clinic.store.accounts import SignInAttempt

COUNTED_FOR = timedelta(minutes=15)


def admit(work: UnitOfWork, limits: Mapping[str, int]) -> bool:
    """Counts one attempt under each of these keys; False, and not counted, where one of them had too many of late."""
    for key in sorted(limits):
        _take_turns(work, key)
    work.db.execute(sa.delete(SignInAttempt).where(SignInAttempt.at < work.now - COUNTED_FOR))
    counted = dict(work.db.execute(
        sa.select(SignInAttempt.key, sa.func.count()).where(SignInAttempt.key.in_(limits)).group_by(SignInAttempt.key)
    ).all())
    admitted = all(counted.get(key, 0) < limit for key, limit in limits.items())
    if admitted:
        work.db.add_all(SignInAttempt(key=key, at=work.now) for key in limits)
    work.commit()
    return admitted


def near(network: str) -> str:
    """The network of an address as one subscriber holds it: a whole /64 of IPv6, a single address of IPv4."""
    try:
        address = ipaddress.ip_address(network)
    except ValueError:
        return "unknown"
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _take_turns(work: UnitOfWork, key: str) -> None:
    # SQLite has one writer at a time already; PostgreSQL counts alone only with a lock of its own for the key.
    if work.db.get_bind().dialect.name == "postgresql":
        work.db.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})
