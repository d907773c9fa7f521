"""What every answer tells the browser about keeping, framing and loading."""
from __future__ import annotations

from flask import Flask, g, request
from werkzeug.wrappers import Response

from clinic.web.kit import kit

POLICY = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
    "connect-src 'self'", "frame-src 'self'", "form-action 'self'", "base-uri 'none'", "object-src 'none'",
    "frame-ancestors 'none'",
))
MESSAGE_POLICY = "; ".join((
    "default-src 'none'", "style-src 'unsafe-inline'", "img-src data:", "form-action 'none'", "base-uri 'none'",
    "frame-ancestors 'self'", "sandbox",
))
"""For the body of a message inside its frame: it may look like itself, and do nothing."""


def install(app: Flask) -> None:
    """Puts the headers on every answer, error pages included."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("Cache-Control", "no-store")
    headers["X-Content-Type-Options"] = "nosniff"
    framed = headers["Content-Security-Policy"] == MESSAGE_POLICY
    headers["X-Frame-Options"] = "SAMEORIGIN" if framed else "DENY"
    headers["Referrer-Policy"] = "no-referrer" if "for_patients" in g else "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    headers["X-Robots-Tag"] = "noindex, nofollow"
    if request.endpoint != "pages.asset_file":
        response.vary.update(("Cookie", "X-Fragment"))
    if kit().settings.secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
