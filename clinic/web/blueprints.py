"""Every blueprint of the app: one noun, one line."""
from __future__ import annotations

from flask import Blueprint

from clinic.web import (
    appointments,
    courses,
    health,
    messages,
    new_course,
    pages,
    patients,
    protocols,
    repair,
    signin,
    tasks,
    times,
    today,
    undated,
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
)
FURTHER_PAGES = (new_course, repair, times)
"""Modules whose pages belong to the blueprint of another one: of courses, and of appointments."""
