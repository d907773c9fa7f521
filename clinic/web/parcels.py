"""What somebody has sent to be moved in: its files, which of ours each one is, and what their columns are called."""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from clinic.interchange.moving_in import FORMS, MAPPING, Fault, Form, Report
from clinic.interchange.moving_in.synonyms import COLUMNS, form_of, suggested
from clinic.interchange.parcel import Sent, lay_out
from clinic.interchange.tables import DELIMITERS, first_rows

FORM_OF: Mapping[str, Form] = {form.file: form for form in FORMS}
_SHOWN = 3
_HEADING_BYTES = 20_000
_KNOWN = sorted({name for form in FORMS for name in form.names} | {
    word for words in COLUMNS.values() for word in words.split()})

Columns = Mapping[str, str | None]
"""By the headings of a file: our column, or none for one that is not read."""


@dataclass(frozen=True, slots=True)
class ParcelFile:
    """A file that was sent: the name it came under, where it lies, which of ours it is (empty: not read)."""

    name: str
    path: str
    form: str
    columns: Columns


@dataclass(frozen=True, slots=True)
class Glance:
    """The first rows of a file beside its columns, or what is wrong with it."""

    headings: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    fault: str


def glance_at(path: Path) -> Glance:
    """What a file begins with, however its columns are called."""
    heading, rows, faults = first_rows(path, _KNOWN, _SHOWN)
    if heading is None:
        heading, rows, faults = first_rows(path, _guessed(path), _SHOWN)
    if heading is None:
        return Glance((), (), faults.kept[0].text if faults.kept else "is empty")
    values = tuple(
        tuple(cells[place] if place < len(cells) else "" for _, cells in rows) for place in range(len(heading.names)))
    return Glance(heading.names, values, "")


def recognised(sent: Sequence[Sent]) -> list[ParcelFile]:
    """Each file as it seems to be; the second of a kind is left out until somebody decides."""
    found: list[ParcelFile] = []
    for each in sent:
        headings = glance_at(each.path).headings
        form = form_of(each.name, headings) if headings else None
        taken = {file.form for file in found}
        known = form.file if form is not None and form.file not in taken else ""
        found.append(as_form(ParcelFile(each.name, each.path.name, "", {}), headings, known))
    return found


def as_form(file: ParcelFile, headings: Sequence[str], form: str) -> ParcelFile:
    """The file as that one of ours, with the columns that it seems to have then."""
    return replace(file, form=form, columns=suggested(FORM_OF[form], headings) if form else {})


def keep(folder: Path, files: Sequence[ParcelFile]) -> None:
    """Remembers what was decided; readers find the old or the new."""
    draft = folder / "parcel.draft"
    draft.write_text(json.dumps([asdict(file) for file in files]), encoding="utf-8")
    draft.replace(folder / "parcel.json")


def kept(folder: Path) -> list[ParcelFile]:
    """What was decided."""
    return [ParcelFile(**each) for each in json.loads((folder / "parcel.json").read_text(encoding="utf-8"))]


def faults_of(files: Sequence[ParcelFile]) -> dict[str, str]:
    """What stands in the way of reading them, by the id of the field."""
    found: dict[str, str] = {}
    for number, file in enumerate(files):
        if not file.form:
            continue
        if file.form in {other.form for other in files[:number]}:
            found[f"form-{number}"] = f"{file.name}: another file is {FORM_OF[file.form].kind}s already. Leave one out."
        chosen = [ours for ours in file.columns.values() if ours]
        twice = next((ours for ours in chosen if chosen.count(ours) > 1), None)
        missing = [name for name in FORM_OF[file.form].needed if name not in chosen]
        if twice:
            found.setdefault(f"form-{number}", f"{file.name}: two columns say {twice}. Choose one.")
        if missing:
            found.setdefault(f"form-{number}", f"{file.name}: choose the column that says {', '.join(missing)}.")
    if not any(file.form for file in files):
        found[""] = "Say of at least one file what it holds."
    return found


def laid_out(folder: Path, files: Sequence[ParcelFile]) -> Path:
    """The folder as it is read: our names for the files, and what their columns are called."""
    target = folder / "laid-out"
    chosen = [file for file in files if file.form]
    lay_out(target, {file.form: folder / "files" / file.path for file in chosen})
    (target / MAPPING).write_text(json.dumps({file.form: file.columns for file in chosen}), encoding="utf-8")
    return target


def report_document(report: Report, files: Sequence[ParcelFile]) -> dict[str, Any]:
    """What became of it, under the names that the files came with."""
    names = {file.form: file.name for file in files if file.form}

    def told(faults: Sequence[Fault]) -> list[dict[str, Any]]:
        return [{**asdict(fault), "file": names.get(fault.file, fault.file)} for fault in faults]

    return {
        "counts": [{**asdict(count), "file": names.get(count.file, count.file)} for count in report.counts],
        "faults": told(report.faults), "more_faults": report.more_faults,
        "warnings": told(report.warnings), "more_warnings": report.more_warnings,
        "is_good": report.is_good, "was_kept": report.was_kept, "holds_messages": report.holds_messages,
        "new": sum(count.new for count in report.counts),
    }


def _guessed(path: Path) -> list[str]:
    """Whatever the first line may name: so the delimiter that makes the most of it is taken."""
    with open(path, "rb") as file:
        line = file.readline(_HEADING_BYTES).decode("utf-8-sig", "replace").strip()
    names = [name for each in DELIMITERS if each in line for name in line.split(each)]
    return [name.strip().strip('"').strip() for name in names] or [line]
