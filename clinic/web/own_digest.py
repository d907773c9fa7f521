"""One's own account: the morning digest by e-mail."""
from __future__ import annotations

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.services.digests import choose_digest, digests_now
from clinic.web.entry import here, signed_in
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.own_account import own_account
from clinic.web.pages import page


@own_account.get("/account/digest")
@signed_in
def digest() -> Response:
    """Whether the digest comes, and what it would say now."""
    with kit().read() as db:
        wanted, mornings = digests_now(db, here().account_id, "", now())
    return page("accounts/own_digest.html", wanted=wanted, mornings=mornings)


@own_account.post("/account/digest")
@signed_in
def choose_own_digest() -> Response:
    """Begins or ends it."""
    wanted = Form(request.form).ticked("wanted")
    with kit().work(here().actor) as work:
        choose_digest(work, here().account_id, wanted=wanted)
    flash("The digest comes at seven on each morning on which something waits." if wanted else
          "You get no digest any more.", "ok")
    return redirect(url_for("own_account.digest"), 303)
