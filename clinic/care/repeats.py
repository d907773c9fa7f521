"""Which messages go once more, unchanged, after the mail server's answer was lost.

What is said in somebody's care does: a missing message is worse than a repeated one. What invites, and what opens
something once, does not: who misses it asks again, and who gets it twice is annoyed, or wonders who else got it.
"""
from __future__ import annotations

from collections.abc import Iterable

from clinic.care.owner_facts import MessageKind

_INVITES = frozenset({"review-request"})
_FOR_STAFF = frozenset({"digest"})
_ONCE_MORE = frozenset(kind.value for kind in MessageKind) - _INVITES | _FOR_STAFF


def goes_once_more(kinds: Iterable[str]) -> bool:
    """Whether a message that says these kinds may be repeated; a kind that nobody decided about never is."""
    return all(kind in _ONCE_MORE for kind in kinds)
