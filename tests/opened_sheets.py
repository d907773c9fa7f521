"""Opens a page of day sheets as its own script does, in other words: with Python, by what the page says of itself."""
from __future__ import annotations

import json
import re
from base64 import b64decode
from hashlib import pbkdf2_hmac
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clinic.interchange.day_sheets import sealed

PASSPHRASE = "five wet boats near harbour"


@pytest.fixture
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the passphrase easy to guess, for tests of everything else."""
    monkeypatch.setattr(sealed, "ROUNDS", 1000)


def sealed_parts(page: str) -> dict[str, str]:
    """Its rounds, salt, nonce and digest, and what is sealed."""
    found = re.search(r'<div id="sealed" hidden ([^>]+)>([^<]*)</div>', page)
    assert found is not None
    return {**dict(re.findall(r'data-(\w+)="([^"]*)"', found[1])), "sealed": found[2]}


def opened(page: str, passphrase: str = PASSPHRASE) -> dict[str, Any]:
    """What the page shows once it is open."""
    parts = sealed_parts(page)
    key = pbkdf2_hmac("sha256", passphrase.encode(), b64decode(parts["salt"]), int(parts["rounds"]), dklen=32)
    plain = AESGCM(key).decrypt(b64decode(parts["nonce"]), b64decode(parts["sealed"]), None)
    found: dict[str, Any] = json.loads(plain)
    return found
