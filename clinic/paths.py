"""Where templates/ and migrations/ lie: beside clinic/ in a checkout, inside it in a wheel."""
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _find(name: str) -> Path:
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def templates() -> Path:
    """The folder of pages and messages."""
    return _find("templates")


def migrations() -> Path:
    """The folder that Alembic calls its script location."""
    return _find("migrations")


def assets() -> Path:
    """The folder of what the browser loads, made at install."""
    return _PACKAGE / "static" / "dist"
