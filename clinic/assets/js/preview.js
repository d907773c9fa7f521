import { regionOf } from "./fragments.js";

const PAUSE = 400;

// A region shows what a form would do, while it is typed: the form is sent to `data-preview-action`, which keeps nothing.
export function showWhileTyping(form) {
  const name = form.dataset.livePreview;
  let timer, running;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    running?.abort();
    timer = setTimeout(async () => {
      running = new AbortController();
      try {
        const found = await ask(form, name, running.signal);
        if (found) regionOf(name).replaceWith(found);
      } catch (problem) {
        if (problem.name !== "AbortError") console.warn(problem.message);
      }
    }, PAUSE);
  });
}

async function ask(form, name, signal) {
  const answer = await fetch(form.dataset.previewAction, {
    method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "X-Fragment": "1" },
    credentials: "same-origin", signal,
  });
  // What is typed wrong is shown too, as far as it goes; a sign-in page has no such region.
  return regionOf(name, new DOMParser().parseFromString(await answer.text(), "text/html"));
}
