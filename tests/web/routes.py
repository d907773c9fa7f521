"""One example address for every route, so that tests can walk all of them."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import Rule


@dataclass(frozen=True)
class Example:
    """A route and a method, with an address that fits it."""

    endpoint: str
    method: str
    url: str

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint}"


def examples(app: Flask, **values: object) -> Iterator[Example]:
    """Every route of the app with every method it takes; `values` fill in its arguments, others are 1."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            yield Example(rule.endpoint, method, address(rule, values))


def address(rule: Rule, values: dict[str, object]) -> str:
    """An address that the rule fits."""
    filled = {name: values.get(name, "mn_rejuvenation" if name == "code" else "none.css" if name == "name" else 1)
              for name in rule.arguments}
    built = rule.build(filled, append_unknown=False)
    assert built is not None, rule
    return built[1]
