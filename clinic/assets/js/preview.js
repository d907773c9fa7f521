import { regionOf } from "./fragments.js";

const PAUSE = 400;

// Regions show what a form would do, while it is typed: the form is sent to `data-preview-action`, which keeps nothing.
// With `data-preview-frame`, the frame of that name follows too, from `data-frame-action`.
export function showWhileTyping(form) {
  const names = form.dataset.livePreview.split(" ");
  let timer, running;
  form.querySelectorAll("[data-preview-button]").forEach((place) => { place.hidden = true; });
  // A page that came back with what was typed leaves its frame to us.
  const frame = form.dataset.previewFrame;
  if (frame && document.querySelector(`iframe[name="${CSS.escape(frame)}"]:not([src])`)) fillFrame(form);
  form.addEventListener("input", () => {
    clearTimeout(timer);
    running?.abort();
    timer = setTimeout(async () => {
      running = new AbortController();
      try {
        const page = await ask(form, running.signal);
        for (const name of names) show(name, page);
        if (form.dataset.previewFrame) fillFrame(form);
      } catch (problem) {
        if (problem.name !== "AbortError") console.warn(problem.message);
      }
    }, PAUSE);
  });
}

// What is typed wrong is shown too, as far as it goes; a sign-in page has no such region. A region stays while somebody
// is in it: what they are about to press must not go away. What they have opened stays open.
function show(name, page) {
  const old = regionOf(name), found = regionOf(name, page);
  if (!found || old.contains(document.activeElement)) return;
  const open = [...old.querySelectorAll("details")].map((each) => each.open);
  found.querySelectorAll("details").forEach((each, place) => { each.open = open[place] ?? each.open; });
  old.replaceWith(found);
}

async function ask(form, signal) {
  const answer = await fetch(form.dataset.previewAction, {
    method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "X-Fragment": "1" },
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
