import { regionOf } from "./fragments.js";

const PAUSE = 400;

// Regions show what a form would do, while it is typed: the form is sent to `data-preview-action`, which keeps nothing.
export function showWhileTyping(form) {
  const names = form.dataset.livePreview.split(" ");
  let timer, running;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    running?.abort();
    timer = setTimeout(async () => {
      running = new AbortController();
      try {
        const page = await ask(form, running.signal);
        for (const name of names) show(name, page);
      } catch (problem) {
        if (problem.name !== "AbortError") console.warn(problem.message);
      }
    }, PAUSE);
  });
}

// What is typed wrong is shown too, as far as it goes; a sign-in page has no such region. A region stays while somebody
// is in it: what they are about to press must not go away.
function show(name, page) {
  const old = regionOf(name), found = regionOf(name, page);
  if (found && !old.contains(document.activeElement)) old.replaceWith(found);
}

async function ask(form, signal) {
  const answer = await fetch(form.dataset.previewAction, {
    method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "X-Fragment": "1" },
    credentials: "same-origin", signal,
  });
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}
