import { regionOf } from "./fragments.js";
import { announce } from "./live.js";

const PAUSE = 400;

// Regions show what a form would do, while it is typed: the form is sent to `data-preview-action`, which keeps nothing.
// With `data-preview-frame`, the frame of that name follows too, from `data-frame-action`. A region with
// `data-preview-wanted` is asked for at once; a button with `data-in-place` goes on in the regions, not on a new page.
export function showWhileTyping(form) {
  const names = form.dataset.livePreview.split(" ");
  const isInRegion = (place) => names.some((name) => regionOf(name)?.contains(place));
  let timer, running;
  form.querySelectorAll("[data-preview-button]").forEach((place) => { place.hidden = true; });
  // A page that came back with what was typed leaves its frame to us.
  const frame = form.dataset.previewFrame;
  if (frame && document.querySelector(`iframe[name="${CSS.escape(frame)}"]:not([src])`)) fillFrame(form);

  async function refresh(button) {
    clearTimeout(timer);
    running?.abort();
    const mine = running = new AbortController();
    names.forEach((name) => regionOf(name)?.setAttribute("aria-busy", "true"));
    try {
      const page = await ask(form, button, mine.signal);
      const shown = names.filter((name) => show(name, page, button));
      if (frame) fillFrame(form);
      return shown.length > 0;
    } catch (problem) {
      if (problem.name !== "AbortError") console.warn(problem.message);
      return problem.name === "AbortError";
    } finally {
      if (running === mine) names.forEach((name) => regionOf(name)?.removeAttribute("aria-busy"));
    }
  }

  form.addEventListener("input", (event) => {
    // What stands in a region is an answer already, or is sent with the form.
    if (isInRegion(event.target)) return;
    clearTimeout(timer);
    running?.abort();
    timer = setTimeout(refresh, PAUSE);
  });
  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (!button?.hasAttribute("data-in-place")) return;
    event.preventDefault();
    if (!await refresh(button)) {
      button.removeAttribute("data-in-place");
      form.requestSubmit(button);
      return;
    }
    const place = names.map((name) => regionOf(name)).find((region) => region?.dataset.focus);
    (document.getElementById(place?.dataset.focus) ?? regionOf(names.at(-1)))?.focus();
  });
  if (names.some((name) => regionOf(name)?.hasAttribute("data-preview-wanted"))) refresh();
}

// What is typed wrong is shown too, as far as it goes; a sign-in page has no such region. A region stays while somebody
// is in it, unless it was they who asked: what they are about to press must not go away. What they have opened stays open.
function show(name, page, button) {
  const old = regionOf(name), found = regionOf(name, page);
  if (!found || (!button && old.contains(document.activeElement))) return false;
  const open = [...old.querySelectorAll("details")].map((each) => each.open);
  found.querySelectorAll("details").forEach((each, place) => { each.open = open[place] ?? each.open; });
  const isNews = old.textContent.trim() !== found.textContent.trim();
  old.replaceWith(found);
  if (isNews && !button) announce(found.dataset.announce);
  return true;
}

async function ask(form, button, signal) {
  const typed = new FormData(form);
  if (button?.name) typed.append(button.name, button.value);
  const answer = await fetch(form.dataset.previewAction, {
    method: "POST", body: new URLSearchParams(typed), headers: { "X-Fragment": "1" },
    credentials: "same-origin", signal,
  });
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// A new frame for each answer: filling the same one again would put a step into the browser's history every time.
function fillFrame(form) {
  const name = form.dataset.previewFrame;
  const [old, ...late] = document.querySelectorAll(`iframe[name^="${CSS.escape(name)}"]`);
  late.forEach((each) => each.remove());
  if (!old) return;
  const frame = old.cloneNode();
  frame.removeAttribute("src");
  frame.name = `${name}-${Date.now()}`;
  frame.classList.add("loading");
  old.after(frame);
  frame.addEventListener("load", () => {
    old.remove();
    frame.classList.remove("loading");
  }, { once: true });
  const { action, target } = form;
  Object.assign(form, { action: form.dataset.frameAction, target: frame.name });
  form.submit();
  Object.assign(form, { action, target });
}
