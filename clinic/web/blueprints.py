"""Every blueprint of the app: one noun, one line."""
from __future__ import annotations

from flask import Blueprint

from clinic.web import (
    appointments,
    course_changes,
    courses,
    health,
    messages,
    new_course,
    pages,
    patients,
    protocols,
    repair,
    resting,
    setup,
    signin,
    tasks,
    times,
    today,
    undated,
    visit_ends,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    pages.pages,
    health.health,
    signin.signin,
    today.today,
    patients.patients,
    courses.courses,
    appointments.appointments,
    messages.messages,
    protocols.protocols,
    tasks.tasks,
    undated.undated,
    setup.setup,
)
FURTHER_PAGES = (course_changes, new_course, repair, resting, times, visit_ends)
"""Modules whose pages belong to the blueprint of another one: of courses, and of appointments."""
