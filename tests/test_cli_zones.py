"""`clinic check-zones`: what an operator reads after an update of the zone data."""
from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path

from click.testing import CliRunner, Result

from clinic.cli import main
from clinic.clock import system_clock
from tests.booking import booked, standing
from tests.engines import lent_engine
from tests.services.test_zones import of_another_zone
from tests.small_clinic import small_clinic
from tests.test_cli import as_it_was_logged
from tests.zone_rules import rules_of, write_zone


def test_it_lists_each_visit_the_ones_that_need_a_person_first_and_a_dry_run_changes_nothing(
    sqlite_url: str, tmp_path: Path
) -> None:
    def check(*words: str) -> Result:
        return CliRunner(env={"CLINIC_DATABASE_URL": sqlite_url, "CLINIC_DATA_DIR": str(tmp_path)}).invoke(
            main, ["check-zones", *words])

    with lent_engine(sqlite_url) as engine, as_it_was_logged():
        made = small_clinic(engine)
        made.now = system_clock()
        first, second = standing(made, booked(made, sessions=2))
        was, will = (each.starts_at for each in (first, second)), [
            (each.local_start - timedelta(hours=3)).replace(tzinfo=UTC) for each in (first, second)]
        # The practitioner comes in after the numbing, an hour into the visit.
        of_another_zone(made, will[1] + timedelta(hours=1))
        moves = [f"  visit {each.id}, {each.local_start:%Y-%m-%d %H:%M} Europe/London: {old:%H:%M} → {new:%H:%M} UTC"
                 for each, old, new in zip((first, second), was, will, strict=True)]
        lines = [moves[1] + "; NEEDS A PERSON: somebody or something it needs has another visit then, so it was not "
                 "moved", moves[0]]

        nothing = check()
        with rules_of(write_zone(tmp_path, "Europe/London", "<+03>-3")):
            tried, told, again = check("--dry-run"), check(), check()

    header = "Visits to come that new zone rules put at another instant:"
    assert (tried.exit_code, told.exit_code, again.exit_code, nothing.exit_code) == (2, 2, 2, 0), told.output
    assert nothing.output == "Every visit to come is where the rules of its time zone put it\n"
    assert tried.output.splitlines() == [f"{header} 2 (dry run: nothing was changed)", *lines]
    assert told.output.splitlines() == [f"{header} 2", *lines]
    assert again.output.splitlines() == [f"{header} 1", lines[0]]
