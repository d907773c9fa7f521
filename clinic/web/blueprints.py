"""Every blueprint of the app: one noun, one line."""
from __future__ import annotations

from flask import Blueprint

from clinic.web import (
    absences,
    accounts,
    appointments,
    course_changes,
    courses,
    devices,
    health,
    messages,
    new_course,
    own_account,
    pages,
    patients,
    people,
    protocols,
    repair,
    resting,
    rooms,
    rota_days,
    rotas,
    setup,
    signin,
    tasks,
    times,
    today,
    treatments,
    undated,
    visit_ends,
    welcome,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    pages.pages,
    health.health,
    signin.signin,
    welcome.welcome,
    today.today,
    patients.patients,
    courses.courses,
    appointments.appointments,
    messages.messages,
    protocols.protocols,
    tasks.tasks,
    undated.undated,
    setup.setup,
    people.people,
    rotas.rotas,
    absences.absences,
    rooms.rooms,
    devices.devices,
    treatments.treatments,
    accounts.accounts,
    own_account.own_account,
)
FURTHER_PAGES = (course_changes, new_course, repair, resting, rota_days, times, visit_ends)
"""Modules whose pages belong to the blueprint of another one: of courses, and of appointments."""
