import { askFor, regionOf } from "./fragments.js";
import { announce } from "./live.js";

const PAUSE = 300;

// What is in the region follows some fields of its form: who is there already, while a new patient is typed.
export function showAlike(region) {
  const form = region.closest("form");
  const { fragment, alike, fields } = region.dataset;
  const names = fields.split(" ");
  let timer, running, last = "";
  const ask = async () => {
    const typed = new FormData(form);
    const wanted = new URLSearchParams(names.map((name) => [name, typed.get(name) ?? ""])).toString();
    if (wanted === last) return;
    last = wanted;
    running = new AbortController();
    const found = await askFor(fragment, `${alike}?${wanted}`, running.signal);
    if (!found) return;
    // Who was typed may be saved, and their form gone.
    regionOf(fragment)?.replaceChildren(...found.childNodes);
    announce(found.dataset.announce);
  };
  form.addEventListener("input", (event) => {
    if (!names.includes(event.target.name)) return;
    clearTimeout(timer);
    running?.abort();
    timer = setTimeout(() => {
      ask().catch((problem) => { if (problem.name !== "AbortError") console.warn(problem.message); });
    }, PAUSE);
  });
}
