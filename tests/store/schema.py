"""What a database really holds, in its own words: tables, indexes, constraints, triggers and functions."""
from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine

_POSTGRESQL = {
    "column": """
        SELECT table_name || '.' || column_name, concat_ws(' ', data_type, is_nullable, column_default)
        FROM information_schema.columns WHERE table_schema = 'public'""",
    "constraint": """
        SELECT conname, conrelid::regclass || ' ' || pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype <> 'n'""",
    "index": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "trigger": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "function": """
        SELECT proname, pg_get_functiondef(oid) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')""",
}
_OF_ALEMBIC = "alembic_version"

Schema = dict[tuple[str, str], str]
"""The definition of each thing by its kind and name."""


def schema_of(engine: Engine) -> Schema:
    """Everything that the database holds but Alembic's own table; equal if and only if the schemas are."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            rows = connection.execute(sa.text("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
            found = {(kind, name): _plain(kind, sql) for kind, name, sql in rows}
        else:
            found = {
                (kind, name): definition
                for kind, query in _POSTGRESQL.items()
                for name, definition in connection.execute(sa.text(query.replace("::", "\\:\\:")))
            }
    return {key: definition for key, definition in found.items() if not key[1].startswith(_OF_ALEMBIC)}


def names_of(schema: Schema, kind: str) -> set[str]:
    """The names of the things of that kind."""
    return {name for found, name in schema if found == kind}


def _plain(kind: str, sql: str) -> str:
    if kind != "table":
        return sql
    # Two ways to one table write its parts in another order and with other quotes.
    head, _, body = sql.partition("(")
    parts = sorted(" ".join(part.split()) for part in _parts(body.strip().removesuffix(")")))
    return "\n".join([head, *parts]).replace('"', "")


def _parts(body: str) -> list[str]:
    """What stands between the commas, but for commas in brackets."""
    depth, parts = 0, [""]
    for char in body:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts
