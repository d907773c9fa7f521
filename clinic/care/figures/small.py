"""Numbers too small to show: how they are left out so that nobody can work them out from the rest.

A figure about fewer than five patients says more about them than about the clinic. Leaving it out is not enough: where
a table shows its total, one row left out is the total less the others. So rows are left out until those that are
missing hold at least five patients together and are at least two; what is missing is shown only as one sum.

That guards each table, on the page and in its file. Two pages with other filters can still be subtracted from each
other: whoever sees figures may see patients anyway (`clinic/access.py`), so this protects what is printed and passed
on, not the records.
"""
from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from typing import TypeVar

FEWEST = 5
"""So many patients at least stand behind a figure that is shown. Our default; health offices use 5 to 11."""

Key = TypeVar("Key")


def is_small(patients: int) -> bool:
    """Whether a figure about so many patients is left out; about nobody there is nothing to hide."""
    return 0 < patients < FEWEST


def left_out(rows: Mapping[Key, Set[int]]) -> Collection[Key]:
    """Which rows of a table with a total are left out, given the patients of each; in the order of the rows.

    Those about fewer than five patients; and, until what is missing is about five patients and two rows, the smallest
    of the others.
    """
    hidden = [key for key, patients in rows.items() if is_small(len(patients))]
    others = sorted((key for key in rows if rows[key] and key not in hidden), key=lambda key: len(rows[key]))
    while hidden and others and (len(hidden) < 2 or len(set[int]().union(*(rows[each] for each in hidden))) < FEWEST):
        hidden.append(others.pop(0))
    return [key for key in rows if key in hidden]
