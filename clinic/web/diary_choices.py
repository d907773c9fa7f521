"""How an account likes to see the diary: what its address asks for, else what this browser remembers of the account."""
from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from clinic.care.parts import ResourceKind
from clinic.care.states import AppointmentState

MOST_HIDDEN = 200
Kind = TypeVar("Kind", bound=StrEnum)
_SEPARATOR, _BETWEEN = "~", "."


class Show(StrEnum):
    """The ways in which the same days are shown."""

    DAY = "day"
    WEEK = "week"
    LIST = "list"


class Colour(StrEnum):
    """What the colour of a visit says besides its words."""

    STATUS = "status"
    TREATMENT = "treatment"


@dataclass(frozen=True, slots=True)
class Choices:
    """What is shown and how. `left_out` are the columns that somebody does not want to see, of whatever kind.

    Visits in `back_states` and of `back_treatments` stand back. `of` is whose week it is. Without `names` the page
    holds nobody's name.
    """

    show: Show = Show.DAY
    by: ResourceKind = ResourceKind.PRACTITIONER
    colour: Colour = Colour.STATUS
    names: bool = True
    left_out: frozenset[int] = frozenset()
    of: int | None = None
    back_states: frozenset[AppointmentState] = frozenset()
    back_treatments: frozenset[int] = frozenset()

    def asked(self, address: Mapping[str, str]) -> Choices:
        """These, with what an address says instead; what makes no sense in it says nothing."""
        return replace(
            self,
            show=_one_of(Show, address.get("show"), self.show),
            by=_one_of(ResourceKind, address.get("by"), self.by),
            colour=_one_of(Colour, address.get("colour"), self.colour),
            names={"shown": True, "hidden": False}.get(address.get("names", ""), self.names),
            left_out=_numbers(address["without"]) if "without" in address else self.left_out,
            of=_number(address["of"]) if "of" in address else self.of,
            back_states=_states(address["back_states"]) if "back_states" in address else self.back_states,
            back_treatments=_numbers(address["back_treatments"]) if "back_treatments" in address
            else self.back_treatments)

    def address(self) -> dict[str, Any]:
        """What an address says that asks for exactly these."""
        found: dict[str, Any] = {"show": self.show.value, "by": self.by.value, "colour": self.colour.value,
                 "names": "shown" if self.names else "hidden", "without": _joined(self.left_out),
                 "back_states": _BETWEEN.join(sorted(self.back_states)),
                 "back_treatments": _joined(self.back_treatments)}
        return found if self.of is None else {**found, "of": str(self.of)}

    def showing(self, wanted: Collection[int], offered: Collection[int]) -> Choices:
        """These, where of the columns offered only those wanted are shown; with none of them wanted, all."""
        unwanted = frozenset(offered) - frozenset(wanted)
        kept = self.left_out - frozenset(offered)
        return replace(self, left_out=kept | (unwanted if set(wanted) & set(offered) else frozenset()))

    def kept(self) -> str:
        """What a browser remembers."""
        parts = (self.show, self.by, self.colour, "shown" if self.names else "hidden", _joined(self.left_out),
                 str(self.of or ""), _BETWEEN.join(sorted(self.back_states)), _joined(self.back_treatments))
        return _SEPARATOR.join(parts)


def remembered(kept: str) -> Choices:
    """What was kept, as far as it still makes sense."""
    names = ("show", "by", "colour", "names", "without", "of", "back_states", "back_treatments")
    return Choices().asked({
        name: value for name, value in zip(names, kept.split(_SEPARATOR), strict=False) if value})


def _one_of(kind: type[Kind], given: str | None, usual: Kind) -> Kind:
    return kind(given) if given in set(kind) else usual


def _joined(ids: Collection[int]) -> str:
    return _BETWEEN.join(map(str, sorted(ids)[:MOST_HIDDEN]))


def _numbers(given: str) -> frozenset[int]:
    found = (_number(each) for each in given.split(_BETWEEN)[:MOST_HIDDEN])
    return frozenset(each for each in found if each is not None)


def _states(given: str) -> frozenset[AppointmentState]:
    return frozenset(AppointmentState(each) for each in given.split(_BETWEEN) if each in set(AppointmentState))


def _number(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None
