"""As which session a visit of a running course counts once it has been treated."""
from __future__ import annotations

from collections.abc import Mapping

from clinic.care.counting import Counted, counts_as
from clinic.care.states import SessionState
from clinic.queries.series import Series
from clinic.store.courses import TreatmentSession


def counted(series: Series, row: TreatmentSession) -> Mapping[int, int]:
    """What the visits of the course become, by their sessions' numbers, once the one for `row` has been treated: see
    `care.counting.counts_as`. Upkeep owes one session at a time: there every visit stays what it is."""
    if series.plan is not None:
        return {}
    return counts_as((Counted(place.row.number, place.row.treatment_code, SessionState(place.row.state))
                      for place in series.places), row.number)


def row_counted(series: Series, row: TreatmentSession) -> TreatmentSession:
    """The session that the visit for `row` counts as once it has been treated."""
    number = counted(series, row).get(row.number, row.number)
    return next(place.row for place in series.places if place.row.number == number)
