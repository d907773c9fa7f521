import { announce } from "./live.js";
import { tellLost } from "./lost.js";

// A form that changes something is sent once, however often its button is pressed. Without scripts the server's
// idempotency key does the same.
export function guardAgainstSendingTwice() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    if (!navigator.onLine) {
      // The browser would leave for a page of its own, and take along what was typed.
      event.preventDefault();
      const row = event.submitter?.closest(".form-actions, .button-row") ?? event.submitter;
      tellLost(row && form.contains(row) ? row.parentElement : form, { before: row && form.contains(row) ? row : null });
      return;
    }
    form.querySelector("[data-lost]")?.remove();
    form.dataset.sent = "yes";
    event.submitter?.setAttribute("aria-disabled", "true");
    announce("Working on it");
  });
  // Going back shows the page as it was left: it may be sent again.
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      form.querySelectorAll("[aria-disabled]").forEach((button) => button.removeAttribute("aria-disabled"));
    });
  });
}
