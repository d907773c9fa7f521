"""What the help says: `templates/help/topics.toml`, and which of it belongs to a page."""
from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

from clinic import paths


@dataclass(frozen=True, slots=True)
class Topic:
    """Something explained in a few sentences. `on` are the beginnings of the endpoints where it is at hand."""

    id: str
    title: str
    on: tuple[str, ...]
    words: str
    text: tuple[str, ...]


@lru_cache(maxsize=1)
def topics() -> tuple[Topic, ...]:
    """All of them, in the order of the page."""
    read = tomllib.loads((paths.templates() / "help" / "topics.toml").read_text("utf-8"))
    return tuple(
        Topic(each["id"], each["title"], tuple(each["on"]), each["words"], tuple(each["text"]))
        for each in read["topics"])


@lru_cache(maxsize=512)
def topic_of(endpoint: str) -> Topic | None:
    """The topic of a page: of those whose beginning fits, the one with the longest."""
    fitting = [(len(begin), topic.id) for topic in topics() for begin in topic.on if endpoint.startswith(begin)]
    best = max(fitting, default=None)
    return next((topic for topic in topics() if best and topic.id == best[1]), None)
