"""A folder that is to be moved in: which of our files it has, what their columns are called, and their rows."""
from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from clinic.interchange.moving_in.cells import Cells
from clinic.interchange.moving_in.dates import Dates
from clinic.interchange.moving_in.faults import Listed
from clinic.interchange.moving_in.forms import FORMS, MAPPING, Form
from clinic.interchange.moving_in.records import READERS
from clinic.interchange.tables import Heading, Limits, Table, plain_name

Names = Mapping[str, Mapping[str, str | None]]
"""For each file, by its headings: our column, or none for one that is not to be read."""
_DATES = ("birth_on", "done_on", "upkeep_done_on", "starts_on", "ends_on", "start", "from", "to")
_LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Said:
    """What a row says: its line, its own key, a digest of its cells, and the value; none where it is faulty."""

    line: int
    reference: str
    digest: str
    record: Any
    heading_of: Mapping[str, str]


class Folder:
    """The files of one folder, each read once, in a stream."""

    def __init__(self, path: Path, faults: Listed, warnings: Listed, limits: Limits | None = None) -> None:
        """What is wrong goes to `faults`, what is only worth knowing to `warnings`."""
        self.path, self.faults, self.warnings, self._limits = path, faults, warnings, limits
        self.forms = tuple(form for form in FORMS if (path / form.file).is_file())
        self._names = self._read_mapping()
        self._look_round()

    def size(self, form: Form) -> int:
        """How many lines that file has, heading and all: what progress is counted in."""
        with (self.path / form.file).open("rb") as stream:
            return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b"")) + 1

    def rows(self, form: Form) -> Iterator[Said]:
        """Every row of that file; one without a usable key is passed over, its fault said."""
        cells: list[Cells] = []
        headings: dict[str, str] = {}

        def begin(heading: Heading) -> bool:
            places = self._placed(form, heading)
            if places is None:
                return False
            headings.update({column: heading.names[place] for column, place in places.items()})
            dates = Dates(lambda: self._date_texts(form, places))
            cells.append(Cells(form.file, heading.names, places, dates, self.faults))
            return True

        seen: dict[str, int] = {}
        read = READERS[form.kind]
        for line, texts in self._table(form).rows(begin):
            row = cells[0]
            row.turn_to(line, texts)
            reference = row.needed("id")
            if not reference:
                continue
            if len(reference) > _LONGEST_ID:
                row.wrong("id", f"is longer than {_LONGEST_ID} characters")
                continue
            first = seen.setdefault(reference, line)
            if first != line:
                row.wrong("id", f"{reference!r} stands in line {first} already: every row needs a key of its own")
                continue
            record = read(row)
            yield Said(line, reference, row.digest, record if row.is_good else None, headings)

    def _table(self, form: Form, faults: Listed | None = None) -> Table:
        known = [*form.names, *self._names.get(form.file, {})]
        return Table(self.path / form.file, known, self.faults if faults is None else faults, self._limits)

    def _placed(self, form: Form, heading: Heading) -> Mapping[str, int] | None:
        """Where each of our columns stands; none, and the faults said, where one that is needed does not."""
        mapped = {plain_name(name): ours for name, ours in self._names.get(form.file, {}).items()}
        found: dict[str, int] = {}
        is_good = True
        for place, name in enumerate(heading.names):
            ours = mapped.get(plain_name(name), plain_name(name))
            if ours is None or not name:
                continue
            if ours not in form.names:
                hint = get_close_matches(ours, form.names, 1)
                self.warnings.add(form.file, 1, name, "is not one of our columns and is not read"
                                  + (f": is it {hint[0]}?" if hint else ""))
            elif ours in found:
                is_good = False
                self.faults.add(form.file, 1, name, f"is the second column that says {ours}")
            else:
                found[ours] = place
        for column in form.needed:
            if column not in found:
                is_good = False
                self.faults.add(form.file, 1, column, "is missing: the file needs a column of this name")
        return {name: found[name] for name in form.names if name in found} if is_good else None

    def _date_texts(self, form: Form, places: Mapping[str, int]) -> Iterable[str]:
        wanted = [places[column] for column in _DATES if column in places]
        for _, texts in self._table(form, Listed()).rows(lambda _heading: True):
            for place in wanted:
                yield texts[place]

    def _read_mapping(self) -> Names:
        path = self.path / MAPPING
        if not path.is_file():
            return {}
        try:
            found = json.loads(path.read_text("utf-8-sig"))
        except ValueError as error:
            self.faults.add(MAPPING, getattr(error, "lineno", 1), "", f"is not JSON: {getattr(error, 'msg', error)}")
            return {}
        forms = {form.file: form for form in FORMS}
        names: dict[str, Mapping[str, str | None]] = {}
        for file, columns in found.items() if isinstance(found, dict) else [("", None)]:
            if file not in forms or not isinstance(columns, dict):
                self.faults.add(MAPPING, 0, "", f"{file!r} is not one of {', '.join(forms)}, each with its columns")
                continue
            for theirs, ours in columns.items():
                if ours is not None and ours not in forms[file].names:
                    self.faults.add(MAPPING, 0, theirs, f"{ours!r} is not a column of {file}: it has "
                                    f"{', '.join(forms[file].names)}")
            names[file] = columns
        return names

    def _look_round(self) -> None:
        """Says what of the folder will not be read, and where nothing can be."""
        known = {MAPPING, *(form.file for form in FORMS)}
        for path in sorted(self.path.iterdir()):
            if path.suffix.casefold() in (".csv", ".tsv", ".txt", ".xlsx", ".xls") and path.name not in known:
                near = get_close_matches(path.name.casefold(), known, 1)
                self.warnings.add(path.name, 0, "", "is not one of the files that can be moved in, and is not read"
                                  + (f": is it {near[0]}?" if near else ""))
        if not self.forms:
            self.faults.add(self.path.name, 0, "", "has none of the files that can be moved in: "
                            f"{', '.join(form.file for form in FORMS)}")
