"""Tasks of the people of the current clinic."""
from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.queries.open_visits import open_visits
from clinic.queries.tasks import clinic_of_task, request_of, tasks_page
from clinic.services.tasks import finish_task
from clinic.web.addresses import safe_next
from clinic.web.entry import allowed, check_clinic, here
from clinic.web.kit import kit, now
from clinic.web.numbers import page_number
from clinic.web.pages import page

tasks = Blueprint("tasks", __name__)


@tasks.get("/tasks")
@allowed(Right.SETTLE_TASKS)
def index() -> Response:
    """What is to do by its date, or what was done."""
    done = request.args.get("show") == "done"
    with kit().read() as db:
        found = tasks_page(db, here().clinic_id, done=done, number=page_number())
        left_open = () if done else open_visits(db, here().clinic_id, now=now())
    return page("tasks/index.html", found=found, done=done, open_visits=left_open)


@tasks.post("/tasks/<int:task_id>/finish")
@allowed(Right.SETTLE_TASKS)
def finish(task_id: int) -> Response:
    """Marks a task as done; a patient's request is answered where they all stand."""
    with kit().read() as db:
        clinic_id, asked = clinic_of_task(db, task_id), request_of(db, task_id)
    check_clinic(clinic_id)
    if asked is not None:
        flash("It is answered here, for the patient's page says what became of it.", "info")
        return redirect(url_for("requests.index"), 303)
    with kit().work(here().actor) as work:
        finish_task(work, task_id)
    flash("The task is done.", "ok")
    return redirect(safe_next(url_for("tasks.index")), 303)
