// Single keys: "/" finds anything, "h" helps with the page, "?" shows the list of keys, letters go to places. They can
// be switched off on a device, because speech input types letters (WCAG 2.1.4).
import { onDevice } from "./memory.js";

const REMEMBERED = "single-keys";

// A tick or a choice takes no letters.
const typing = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

export function enableShortcuts() {
  const choice = document.getElementById("shortcuts-on");
  if (!choice) return;
  choice.closest("[data-shortcuts-choice]").hidden = false;
  choice.checked = onDevice.recall(REMEMBERED) !== "off";
  choice.addEventListener("change", () => onDevice.keep(REMEMBERED, choice.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (!choice.checked || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return;
    if (act(event.key)) event.preventDefault();
  });
  document.querySelectorAll('a[href="#shortcuts"]').forEach((link) => link.addEventListener("click", () => show("shortcuts")));
}

function act(key) {
  if (key === "/") {
    const field = document.querySelector("[data-search-key]");
    field?.focus();
    field?.select();
    return Boolean(field);
  }
  if (key === "?") return show("shortcuts");
  const wanted = CSS.escape(key);
  // What stands in the row that has the focus goes first, then the page's own place, then that of the bar.
  const place = document.activeElement.closest("li, tr")?.querySelector(`[data-row-key="${wanted}"]`)
    ?? [...document.querySelectorAll(`[data-shortcut="${wanted}"]`)].at(-1);
  // One key alone changes nothing: it leads to the button or the field, and the next one presses it.
  if (place?.matches("button, input, summary")) place.focus();
  if (place?.matches("a, summary")) place.click();
  return Boolean(place) || (key === "h" && Boolean(document.getElementById("help")) && show("help"));
}

function show(name) {
  const list = document.getElementById(name);
  list.open = true;
  list.querySelector("summary").focus();
  list.scrollIntoView({ block: "nearest" });
  return true;
}
