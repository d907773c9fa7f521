"""A browser that forbids pages to keep anything, as one can be set to: whoever asks for the store is refused."""
from __future__ import annotations

FORBIDDING = """
for (const kind of ["sessionStorage", "localStorage"]) {
  Object.defineProperty(window, kind, { get() { throw new DOMException("Access is denied.", "SecurityError"); } });
}
"""
