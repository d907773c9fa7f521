"""Finding time for a course: `plan` says what would fit, `repair` what must move, `judge` what speaks against it."""
from clinic.planning.answer import Answer, Parts, Placement, Plan, PlannedSession, Relaxation, Status
from clinic.planning.choices import Choice, choices, soonest_choice
from clinic.planning.findings import Finding, Weight, blocks
from clinic.planning.hours import Hours, opening_bits
from clinic.planning.judge import UNWILLING, judge, judge_patient
from clinic.planning.planner import best_plan, placed_at, plan, starts, starts_by, why_none
from clinic.planning.problem import (
    Costs,
    Gap,
    Kind,
    Need,
    Past,
    Pin,
    Preferences,
    Problem,
    Resource,
    Spacing,
    Step,
    Unwilling,
)
from clinic.planning.repair import Repair, fits, repair
from clinic.planning.ruler import Ruler, busy_bits, granule_for, ruler

__all__ = [
    "UNWILLING", "Answer", "Choice", "Costs", "Finding", "Gap", "Hours", "Kind", "Need", "Parts", "Past", "Pin",
    "Placement", "Plan", "PlannedSession", "Preferences", "Problem", "Relaxation", "Repair", "Resource", "Ruler",
    "Spacing", "Status", "Step", "Unwilling", "Weight", "best_plan", "blocks", "busy_bits", "choices", "fits",
    "granule_for", "judge", "judge_patient", "opening_bits", "placed_at", "plan", "repair", "ruler", "soonest_choice",
    "starts", "starts_by", "why_none",
]
