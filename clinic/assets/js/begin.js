// Who came to a page by a key goes on by keys: what is marked `data-begins` has the focus, as the field or the button that
// the page is for. Who came by a pointer finds the page as it is, without a mark on anything.
import { inTab } from "./memory.js";

const KEPT = "came-by-key";
// A key held down, or pressed twice, must not do what nobody has read yet.
const UNREAD = 350;

export function goOnByKeys() {
  // A key's click has no place, nor has one that a script made for a key.
  document.addEventListener("click", (event) => {
    if (event.isTrusted && event.detail) inTab.forget(KEPT);
    else inTab.keep(KEPT, "yes");
  }, true);
  if (!inTab.recall(KEPT)) return;
  // The browser goes to the place that an address names once the page is there, and would take the focus away again.
  if (location.hash) window.addEventListener("load", () => setTimeout(begin), { once: true });
  else begin();
}

function begin() {
  const place = document.querySelector("[data-begins]:checked") ?? document.querySelector("[data-begins]");
  const at = document.activeElement;
  const named = document.querySelector(":target");
  if (!place || !(at === document.body || at === named) || (named && !named.contains(place))) return;
  place.focus();
  const shownAt = performance.now();
  const isUnread = (event) => { if (!event.detail && performance.now() - shownAt < UNREAD) event.preventDefault(); };
  place.addEventListener("click", isUnread);
  // Who goes on and comes back means it.
  place.addEventListener("blur", () => place.removeEventListener("click", isUnread), { once: true });
}
