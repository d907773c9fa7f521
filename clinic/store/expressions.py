"""What SQLite and PostgreSQL say in different words: instants as seconds, and many rows as one value."""
from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class epoch(FunctionElement[int]):
    """An instant's whole seconds since 1970."""

    type = sa.BigInteger()
    inherit_cache = True


class days_between(FunctionElement[int]):
    """The days from the second of two dates to the first; none where either is missing."""

    type = sa.Integer()
    inherit_cache = True


class first_of_month(FunctionElement[date]):
    """The first date of a date's month."""

    type = sa.Date()
    inherit_cache = True


class lists_as_json(FunctionElement[str]):
    """The aggregate of all rows as one JSON text: a list for each column, all in one order."""

    type = sa.Text()
    inherit_cache = True


class rows_as_json(FunctionElement[str]):
    """The aggregate of all rows as one JSON text, each row a list; see `rows_of`."""

    type = sa.Text()
    inherit_cache = True


class names_clinic(FunctionElement[bool]):
    """Whether the spans of a single date, a JSON list of lists, name that clinic."""

    type = sa.Boolean()
    inherit_cache = True


@compiles(epoch, "sqlite")
def _seconds(element: epoch, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(epoch, "postgresql")
def _extracted(element: epoch, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(EXTRACT(epoch FROM {compiler.process(element.clauses, **options)}) AS bigint)"


@compiles(days_between, "sqlite")
def _julian(element: days_between, compiler: SQLCompiler, **options: Any) -> str:
    later, earlier = (compiler.process(each, **options) for each in element.clauses)
    return f"CAST(julianday({later}) - julianday({earlier}) AS INTEGER)"


@compiles(days_between, "postgresql")
def _subtracted(element: days_between, compiler: SQLCompiler, **options: Any) -> str:
    later, earlier = (compiler.process(each, **options) for each in element.clauses)
    return f"({later} - {earlier})"


@compiles(first_of_month, "sqlite")
def _begun(element: first_of_month, compiler: SQLCompiler, **options: Any) -> str:
    return f"substr({compiler.process(element.clauses, **options)}, 1, 8) || '01'"


@compiles(first_of_month, "postgresql")
def _truncated(element: first_of_month, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(date_trunc('month', {compiler.process(element.clauses, **options)}) AS date)"


@compiles(lists_as_json, "sqlite")
def _grouped_lists(element: lists_as_json, compiler: SQLCompiler, **options: Any) -> str:
    lists = (f"json_group_array({compiler.process(each, **options)})" for each in element.clauses)
    return f"json_array({', '.join(lists)})"


@compiles(lists_as_json, "postgresql")
def _aggregated_lists(element: lists_as_json, compiler: SQLCompiler, **options: Any) -> str:
    lists = (f"json_agg({compiler.process(each, **options)})" for each in element.clauses)
    return f"CAST(json_build_array({', '.join(lists)}) AS text)"


@compiles(rows_as_json, "sqlite")
def _grouped(element: rows_as_json, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **options)}))"


@compiles(rows_as_json, "postgresql")
def _aggregated(element: rows_as_json, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(json_agg(json_build_array({compiler.process(element.clauses, **options)})) AS text)"


@compiles(names_clinic, "sqlite")
def _named_by_each(element: names_clinic, compiler: SQLCompiler, **options: Any) -> str:
    spans, clinic = (compiler.process(each, **options) for each in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({spans}) AS span WHERE json_extract(span.value, '$[2]') = {clinic})"


@compiles(names_clinic, "postgresql")
def _named_by_elements(element: names_clinic, compiler: SQLCompiler, **options: Any) -> str:
    spans, clinic = (compiler.process(each, **options) for each in element.clauses)
    return (f"EXISTS (SELECT 1 FROM json_array_elements({spans}) AS span(value)"
            f" WHERE CAST(span.value ->> 2 AS integer) = {clinic})")


def rows_of(value: str | None) -> list[list[Any]]:
    """The rows of a `rows_as_json` value, in no order; JSON in a column may still be text, see `parsed`."""
    found: list[list[Any]] = json.loads(value) if value else []
    return found


def parsed(value: Any) -> Any:
    """A JSON column's value as `rows_of` gives it: SQLite hands it over as text."""
    return json.loads(value) if isinstance(value, str) else value


def seconds_of(at: datetime) -> int:
    """An aware instant's whole seconds since 1970."""
    return int(at.timestamp())


def instant_of(seconds: int) -> datetime:
    """The instant (aware UTC) so many seconds after 1970 began."""
    return datetime.fromtimestamp(seconds, UTC)
