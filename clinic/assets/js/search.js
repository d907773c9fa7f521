import { askFor, regionOf } from "./fragments.js";
import { announce } from "./live.js";
import { isTrouble, tellLost } from "./lost.js";

const PAUSE = 180;

function urlOf(form) {
  const url = new URL(form.action);
  url.search = new URLSearchParams(new FormData(form)).toString();
  return url;
}

// Calls `ask` when typing pauses, and drops the answer to what is no longer typed; `lost` where there is no connection.
function whenTypingPauses(form, ask, lost) {
  let timer, running;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    running?.abort();
    timer = setTimeout(() => {
      running = new AbortController();
      ask(urlOf(form), running.signal).catch((problem) => { if (isTrouble(problem)) lost(); });
    }, PAUSE);
  });
}

// The list of the page follows what is typed; the address follows too, so that going back finds the same list.
export function followTyping(form) {
  const name = form.dataset.liveSearch;
  whenTypingPauses(form, async (url, signal) => {
    const found = await askFor(name, url, signal);
    if (!found) return;
    regionOf(name).replaceWith(found);
    history.replaceState(null, "", url);
    announce(found.dataset.announce);
  }, () => tellLost(regionOf(name)));
}

// The search of the bar shows what it finds below itself; Enter goes to the whole list, or to the one thing found.
export function quickSearch(form) {
  const name = form.dataset.quickSearch;
  const input = form.querySelector("input[type=search]");
  const results = form.querySelector("[data-quick-results]");
  const close = () => { results.hidden = true; };
  whenTypingPauses(form, async (url, signal) => {
    if (input.value.trim().length < 2) return close();
    const found = await askFor(name, url, signal);
    results.replaceChildren(...(found?.children ?? []));
    results.hidden = false;
    announce(found?.dataset.announce);
  }, () => {
    results.replaceChildren();
    results.hidden = false;
    tellLost(results);
  });
  form.addEventListener("keydown", (event) => moveBetween(event, input, results, close));
  form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) close(); });
}

function moveBetween(event, input, results, close) {
  if (event.key === "Escape" && !results.hidden) {
    close();
    input.focus();
    event.stopPropagation();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || results.hidden) return;
  const stops = [input, ...results.querySelectorAll("a")];
  stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
  event.preventDefault();
}
