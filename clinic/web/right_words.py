"""What each right allows, as the page of rights says it."""
from __future__ import annotations

from clinic.access import Right

RIGHTS = {
    Right.SEE_DIARY: "See today's visits, courses and appointments",
    Right.SEE_PATIENTS: "See patients and how they are reached",
    Right.EDIT_PATIENTS: "Add and change patients",
    Right.SEE_CLINICAL_NOTES: "See clinical notes",
    Right.BOOK: "Plan, book, move and cancel",
    Right.ARRIVE: "Note that a patient has arrived or did not come",
    Right.COMPLETE: "Note that a visit is over",
    Right.OVERRIDE_SCREENING: "Go past a warning of the screening, with a reason",
    Right.SEE_PROTOCOLS: "Read the protocols",
    Right.EDIT_PROTOCOLS: "Write new versions of protocols",
    Right.APPROVE_PROTOCOLS: "Approve protocols",
    Right.SEE_MESSAGES: "See messages and what became of them",
    Right.RELEASE_MESSAGES: "Let go of messages that wait, and send again",
    Right.SETTLE_TASKS: "Settle tasks",
    Right.NOTE_ABSENCES: "Note that a practitioner is away, and take it back",
    Right.SET_UP: "Arrange clinics, people, rooms, devices, treatments and texts",
    Right.MANAGE_ACCOUNTS: "Make accounts, give roles and passwords",
    Right.SEE_AUDIT: "See who did what",
    Right.SEE_FIGURES: "See the figures of the business",
    Right.MOVE_DATA: "Move data in, and take all of it out (with this right at every clinic)",
    Right.WRITE_NEWSLETTER: "Write the newsletter, and send it to who asked for it",
}
