import { askFor, regionOf } from "./fragments.js";
import { announce } from "./live.js";
import { tellLost } from "./lost.js";
import { showAlike } from "./alike.js";
import { choosing } from "./combobox.js";

const NAME = "booking";
// A key held down, or pressed twice, must not book what nobody has read yet.
const UNREAD = 350;

// A click or Enter on free time opens the panel beside the diary: a dialog whose region the server fills. Without this
// the same addresses are pages.
export function bookWhereOneLooks() {
  const page = document.querySelector(".booking-page");
  if (page) return new Panel(page);
  let panel;
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-free], a[data-booking]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    panel ??= new Panel(aDialog());
    panel.open(link);
  });
  showWhatWasBooked();
}

class Panel {
  constructor(box) {
    this.box = box;
    box.addEventListener("click", (event) => this.#clicked(event));
    box.addEventListener("submit", (event) => this.#submitted(event));
    box.addEventListener("input", () => { this.isRead = true; });
    if (regionOf(NAME, box)) this.#ready();
  }

  open(link) {
    this.from = link;
    const region = document.createElement("div");
    region.dataset.fragment = NAME;
    region.className = "booking-waits quiet";
    region.textContent = "One moment …";
    this.#region()?.remove();
    this.box.append(region);
    this.box.showModal();
    this.box.addEventListener("close", () => (document.getElementById(link.id) ?? link).focus({ preventScroll: true }), { once: true });
    this.load(link.href);
  }

  async load(url) {
    this.running?.abort();
    this.running = new AbortController();
    this.#region().setAttribute("aria-busy", "true");
    try {
      const found = await askFor(NAME, url, this.running.signal);
      if (!found) return location.assign(url);
      this.#take(found);
    } catch (problem) {
      if (problem.name !== "AbortError") this.#lost();
    }
  }

  // What was sent comes back with what stands in its way, or says where to go on: in the panel, or to the diary.
  async #send(form, button) {
    if (this.sending) return;
    this.sending = true;
    button?.setAttribute("aria-disabled", "true");
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new URLSearchParams(new FormData(form, button)), headers: { "X-Fragment": "1" },
        credentials: "same-origin",
      });
      const onward = answer.headers.get("X-Onward");
      if (onward) return await this.#goOn(onward);
      const found = regionOf(NAME, new DOMParser().parseFromString(await answer.text(), "text/html"));
      if (!found) return form.submit();
      this.#take(found);
      announce("Not booked");
    } catch {
      this.#lost();
    } finally {
      this.sending = false;
      button?.removeAttribute("aria-disabled");
    }
  }

  async #goOn(address) {
    if (new URL(address, location.href).pathname === new URL(this.#region().dataset.here, location.href).pathname) await this.load(address);
    else location.assign(address);
  }

  #take(found) {
    this.#region().replaceWith(found);
    this.#ready();
    const to = found.querySelector("[role=alert], .findings") ?? found.querySelector("[data-focus], [autofocus]") ?? found.querySelector("input:not([type=hidden]), #booking-title");
    if (to.matches("[role=alert], .findings")) to.tabIndex = -1;
    to.focus({ preventScroll: true });
    this.box.scrollTop = 0;
  }

  #ready() {
    this.shownAt = performance.now();
    this.isRead = false;
    const search = this.box.querySelector("[data-find]");
    if (search) choosing(search, (url) => this.load(url));
    this.box.querySelectorAll("[data-alike]").forEach(showAlike);
  }

  #clicked(event) {
    // A key's click has no place. A pointer means what it was put on.
    this.byKey = !event.detail;
    if (event.target.closest("[data-close]")) return this.box.close();
    const link = event.target.closest("a[data-panel]");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const typed = this.box.querySelector("#booking-q")?.value;
    const url = new URL(link.href);
    if ("new" in link.dataset && typed) url.searchParams.set("q", typed);
    this.load(url);
  }

  #submitted(event) {
    const form = event.target;
    if (form.method === "get" && !("panel" in form.dataset)) return;
    event.preventDefault();
    if (form.method === "get") {
      const url = new URL(form.action);
      url.search = new URLSearchParams(new FormData(form)).toString();
      this.load(url);
    } else if (!this.byKey || this.isRead || performance.now() - this.shownAt > UNREAD) this.#send(form, event.submitter);
  }

  #lost() {
    this.#region().removeAttribute("aria-busy");
    tellLost(this.#region(), { said: "No connection: nothing was booked. Try again." });
  }

  #region() { return regionOf(NAME, this.box); }
}

function aDialog() {
  const dialog = document.createElement("dialog");
  dialog.className = "booking-dialog";
  dialog.setAttribute("aria-labelledby", "booking-title");
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button button-quiet booking-close";
  close.dataset.close = "";
  close.textContent = "✕";
  close.setAttribute("aria-label", "Close");
  dialog.append(close);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  return dialog;
}

// What was just booked is in sight, and has the focus.
function showWhatWasBooked() {
  const ident = document.querySelector("[data-just-booked]")?.dataset.justBooked;
  const visit = ident && document.querySelector(`[data-visit="${CSS.escape(ident)}"]`);
  if (!visit) return;
  visit.classList.add("block-fresh");
  visit.focus();
}
