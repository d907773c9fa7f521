"""What a move-in knows as it goes: the references it has met, what it has counted, how far it has come."""
from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa

from clinic.interchange.moving_in import Count, Form
from clinic.interchange.moving_in.folder import Folder, Said
from clinic.services.work import UnitOfWork
from clinic.store.bulk import Bulk
from clinic.store.moving import Imported
from clinic.store.resources import Patient

AT_ONCE = 1000
_TELLINGS = 1000
"""Progress is told about so often."""
FAULTY = 0
"""The row id of what stands in the files, but is faulty there: whoever names it is not at fault."""
_NAMED = frozenset({"clinic", "practitioner", "room", "device", "patient", "course"})
"""Kinds of rows that others name: their references are kept at hand."""
Progress = Callable[[int, int, str], None]
"""Told how many of how many steps are done, and what is being done, in words."""


class Moving:
    """One folder on its way into the database, in one transaction."""

    def __init__(self, work: UnitOfWork, folder: Folder, progress: Progress) -> None:
        """Nothing is read yet."""
        self.work, self.db, self.now, self.folder = work, work.db, work.now, folder
        self.bulk = Bulk(work.db)
        self.faults, self.warnings = folder.faults, folder.warnings
        self._rows: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._counts = {form.file: Counter[str]() for form in folder.forms}
        self._progress, self._done, self._total = progress, 0, 0
        self._told = (0, "")
        for form in folder.forms:
            # Rows of the last two are written apart, after all was read: the course, or the visit and what it holds.
            self._total += folder.size(form) * {"course": 2, "appointment": 3}.get(form.kind, 1)

    @property
    def is_good(self) -> bool:
        """Whether nothing wrong was found yet: then what is read is worth writing."""
        return self.faults.count == 0

    def batches(self, form: Form) -> Iterator[list[Said]]:
        """The rows of a file that are new and whole, some at a time; the others are counted."""
        rows = self.folder.rows(form)
        counts = self._counts.setdefault(form.file, Counter())
        while batch := list(islice(rows, AT_ONCE)):
            before = self._digests(form.kind, [said.reference for said in batch])
            new = []
            for said in batch:
                known = before.get(said.reference)
                if form.kind in _NAMED:
                    self._rows[form.kind][said.reference] = known[0] if known else FAULTY
                if known is None:
                    if said.record is not None:
                        new.append(said)
                    continue
                counts["unchanged" if known[1] == said.digest else "changed"] += 1
                if known[1] != said.digest:
                    self.warnings.add(form.file, said.line, said.heading_of["id"], f"{said.reference!r} has been "
                                      "changed since it was moved in, and is left as it is here: change it here")
            yield new
            self.step(len(batch), f"Reading {form.file}")

    def keep(self, form: Form, rows: Sequence[tuple[Said, int]], *, linked: Collection[int] = ()) -> None:
        """Remembers which rows came of which references; those whose ids are in `linked` were here already."""
        if form.kind in _NAMED:
            self._rows[form.kind].update({said.reference: row_id for said, row_id in rows})
        self._counts[form.file]["new"] += sum(row_id not in linked for _, row_id in rows)
        self._counts[form.file]["linked"] += sum(row_id in linked for _, row_id in rows)
        self.remember(form.kind, [(said.reference, row_id, said.digest) for said, row_id in rows])

    def remember(self, kind: str, rows: Iterable[tuple[str, int, str]]) -> None:
        """Writes down what came of which reference, as long as there is nothing wrong."""
        if self.is_good:
            self.bulk.insert(Imported.__table__, ("kind", "reference", "row_id", "digest"),  # type: ignore[arg-type]
                             ((kind, *row) for row in rows))

    def look_up(self, kind: str, references: Iterable[str]) -> None:
        """Makes ready for `find` what earlier folders have brought."""
        known = self._rows[kind]
        missing = sorted({each for each in references if each and each not in known})
        for first in range(0, len(missing), AT_ONCE):
            found = self._digests(kind, missing[first:first + AT_ONCE])
            known.update({reference: row_id for reference, (row_id, _) in found.items()})

    def row_of(self, kind: str, reference: str) -> int | None:
        """The row of a reference; none where it is unknown or faulty."""
        return self._rows[kind].get(reference) or None

    def find(self, said: Said, column: str, kind: str, reference: str) -> int | None:
        """The row that a cell names; none, and a fault, where there is none, or where that row is faulty itself."""
        found = self._rows[kind].get(reference)
        if found is None:
            self.wrong(said, column, f"there is no {kind} {reference!r}: neither in {kind}s.csv nor moved in before")
        return found or None

    def wrong(self, said: Said, column: str, text: str) -> None:
        """Says what is wrong with a row, in whichever file is being read."""
        self.faults.add(self.file, said.line, said.heading_of.get(column, column), text)

    def warn(self, said: Said, column: str, text: str) -> None:
        """Says what is worth knowing about a row."""
        self.warnings.add(self.file, said.line, said.heading_of.get(column, column), text)

    file = ""
    """The file that is being read: where faults of its rows are said to be."""

    def step(self, count: int, what: str) -> None:
        """So much has been done."""
        self._done = min(self._done + count, self._total)
        if what != self._told[1] or self._done - self._told[0] >= self._total // _TELLINGS:
            self._told = (self._done, what)
            self._progress(self._done, self._total, what)

    def finish(self, what: str) -> None:
        """All has been done."""
        self._done = self._total
        self._progress(self._done, self._total, what)

    def counts(self) -> tuple[Count, ...]:
        """How the rows of each file fared."""
        return tuple(Count(file, **{name: counts[name] for name in ("new", "unchanged", "changed", "linked")})
                     for file, counts in self._counts.items())

    def _digests(self, kind: str, references: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Row and digest of those that came in before; a patient who was merged since is whom they were merged into."""
        table: Any = Imported.__table__
        chosen = sa.select(table.c.reference, table.c.row_id, table.c.digest)
        if kind == "patient":
            patient: Any = Patient.__table__
            chosen = sa.select(
                table.c.reference, sa.func.coalesce(patient.c.merged_into_id, table.c.row_id), table.c.digest
            ).outerjoin(patient, patient.c.id == table.c.row_id)
        rows = self.db.execute(chosen.where(table.c.kind == kind, table.c.reference.in_(references)))
        return {reference: (row_id, digest) for reference, row_id, digest in rows}

