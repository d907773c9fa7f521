"""Writing day sheets: what stands in them on either database, and what becomes of the folder."""
from __future__ import annotations

import stat
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.services import day_sheets
from clinic.services.day_sheets import write_day_sheets
from clinic.services.work import Done, Refused
from clinic.store.clinics import Clinic
from clinic.store.courses import HandoverNote
from clinic.store.engine import for_writing
from clinic.store.resources import Absence, Patient
from tests.opened_sheets import PASSPHRASE, few_rounds, opened
from tests.small_clinic import SmallClinic, small_clinic
from tests.web import seed

__all__ = ["few_rounds"]
pytestmark = pytest.mark.usefixtures("few_rounds")

LONG = "Maximiliana Theodora von und zu Hohenlohe-Schillingsfürst 60"
ARABIC = "فاطمة بنت عبد الله"


@pytest.fixture
def made(engine: Engine) -> SmallClinic:
    """Three come today, one in two days and one in four; one has cancelled. And there is a second clinic."""
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        for patient, name in zip(made.patients, (LONG, ARABIC, "张 伟"), strict=True):
            given, family = name.rsplit(maxsplit=1)
            db.execute(sa.update(Patient).where(Patient.id == patient).values(given_name=given, family_name=family))
        db.execute(sa.update(Patient).where(Patient.id == made.patients[0]).values(
            alerts="Latex allergy", phone="+44 7700 900123"))
        db.add(HandoverNote(patient_id=made.patients[0], text="Ask about the left cheek", written_at=made.now))
        for patient, days, hours, state in (
                (0, 0, 1, "booked"), (1, 0, 2, "arrived"), (2, 0, 3, "booked"), (1, 0, 4, "cancelled"),
                (2, 2, 1, "booked"), (0, 4, 1, "booked")):
            seed.add_appointment(
                db, made.patients[patient], made.clinic_id, made.now + timedelta(days=days, hours=hours), state=state,
                resources=(made.practitioners[patient], made.rooms[0]))
        db.add(Absence(resource_id=made.practitioners[2], starts_at=made.now + timedelta(days=1),
                       ends_at=made.now + timedelta(days=3), reason="Ill"))
        seed.add_clinic(db, "東京", "Asia/Tokyo")
        db.commit()
    return made


def written(
    made: SmallClinic, folder: Path, *clinics: int, passphrase: str = PASSPHRASE
) -> Done[Mapping[int, Path]] | Refused:
    """What became of the sheets of these clinics, or of both."""
    with Session(made.engine) as db:
        ids = clinics or (made.clinic_id, made.clinic_id + 1)
        return write_day_sheets(db, folder, passphrase, clinics=ids, now=made.now)


def test_today_and_three_days_stand_in_a_file_for_each_clinic_as_the_printed_list_has_them(
    made: SmallClinic, tmp_path: Path
) -> None:
    folder = tmp_path / "stick"

    outcome = written(made, folder)

    assert isinstance(outcome, Done)
    harbour, tokyo = (opened(path.read_text(encoding="utf-8")) for path in outcome.value.values())
    assert [(day["words"], [visit["patient"] for visit in day["visits"]]) for day in harbour["days"]] == [
        ("Monday 1 March 2027", [LONG, ARABIC, "张 伟"]), ("Tuesday 2 March 2027", []),
        ("Wednesday 3 March 2027", ["张 伟"]), ("Thursday 4 March 2027", [])]
    assert harbour["as_of"] == "Monday 1 Mar 2027, 09:00"
    assert tokyo["as_of"] == "Monday 1 Mar 2027, 18:00"
    first = harbour["days"][0]["visits"][0]
    assert (first["time"], first["phone"], first["alerts"], first["notes"], first["held"]) == (
        "10:00", "+44 7700 900123", "Latex allergy", ["Ask about the left cheek"], ["Dr Amari", "Room 1"])
    assert [visit["away"] for day in harbour["days"] for visit in day["visits"]] == ["", "", "", "Dr Chen away"]
    assert harbour["whose"] == [["Practitioners", ["Dr Amari", "Dr Chen", "Nurse Bell"]], ["Rooms", ["Room 1"]]]
    assert not [word for path in folder.iterdir() for word in (LONG, ARABIC, "张 伟", "7700", "Latex", "cheek")
                if word.encode() in path.read_bytes()]
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        f"day-sheets-{made.clinic_id}-harbour-street.html": 0o600, f"day-sheets-{made.clinic_id + 1}.html": 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_old_sheets_are_replaced_and_what_is_not_ours_stays(made: SmallClinic, tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    (tmp_path / "day-sheets-99-closed-long-ago.html").touch()
    (tmp_path / ".day-sheets-1.0123abcd.part").touch()
    written(made, tmp_path)
    with Session(for_writing(made.engine)) as db:
        db.execute(sa.update(Clinic).where(Clinic.id == made.clinic_id).values(name="Harbour Row"))
        db.commit()

    written(made, tmp_path, made.clinic_id)

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"day-sheets-{made.clinic_id}-harbour-row.html", f"day-sheets-{made.clinic_id + 1}.html", "holiday.jpg"]


def test_a_run_for_one_clinic_leaves_what_a_run_for_another_one_has_begun(made: SmallClinic, tmp_path: Path) -> None:
    begun = tmp_path / f".day-sheets-{made.clinic_id + 1}.0123abcd.part"
    begun.touch()

    written(made, tmp_path, made.clinic_id)
    stays = begun.exists()
    written(made, tmp_path)

    assert (stays, begun.exists()) == (True, False)


def test_what_goes_wrong_half_way_leaves_the_sheets_that_were_there(
    made: SmallClinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(made, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    real, calls = day_sheets._write, []

    def full(path: Path, page: str) -> None:
        calls.append(path)
        real(path, page[:1000])
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(day_sheets, "_write", full)
    with pytest.raises(OSError, match="No space"):
        written(made, tmp_path)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_weak_passphrase_or_a_file_for_a_folder_is_refused_and_nothing_is_made(
    made: SmallClinic, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()

    weak, taken = written(made, tmp_path / "new", passphrase="short"), written(made, file)

    assert [isinstance(each, Refused) for each in (weak, taken)] == [True, True]
    assert list(tmp_path.iterdir()) == [file]
