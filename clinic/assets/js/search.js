import { askFor, regionOf } from "./fragments.js";
import { announce } from "./live.js";

const PAUSE = 180;

function urlOf(form) {
  const url = new URL(form.action);
  url.search = new URLSearchParams(new FormData(form)).toString();
  return url;
}

// Calls `ask` when typing pauses, and drops the answer to what is no longer typed.
function whenTypingPauses(form, ask) {
  let timer, running;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    running?.abort();
    timer = setTimeout(() => {
      running = new AbortController();
      ask(urlOf(form), running.signal).catch((problem) => { if (problem.name !== "AbortError") console.warn(problem.message); });
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
  });
}

// The search of the bar shows what it finds below itself; Enter goes to the whole list.
export function quickSearch(form) {
  const name = form.dataset.quickSearch;
  const input = form.querySelector("input[type=search]");
  const results = form.querySelector("[data-quick-results]");
  const close = () => { results.hidden = true; };
  whenTypingPauses(form, async (url, signal) => {
    if (input.value.trim().length < 2) return close();
    const found = await askFor(name, url, signal);
    const rows = [...(found?.querySelectorAll("tr, li") ?? [])].filter((row) => row.querySelector("a"));
    results.replaceChildren(...rows.slice(0, 8).map(asItem));
    if (!rows.length) results.append(nothing());
    results.hidden = false;
    announce(found?.dataset.announce);
  });
  form.addEventListener("keydown", (event) => moveBetween(event, input, results, close));
  form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) close(); });
}

// A row of the list in short: its first link, and its first cell beside it.
function asItem(row) {
  const link = row.querySelector("a");
  const item = document.createElement("a");
  item.className = "menu-item quick-item";
  item.href = link.href;
  const name = document.createElement("span");
  name.dir = "auto";
  name.textContent = link.textContent.trim();
  const more = document.createElement("span");
  more.className = "quiet small";
  more.textContent = row.querySelector("td")?.textContent.trim() ?? "";
  item.append(name, more);
  return item;
}

function nothing() {
  const words = document.createElement("p");
  words.className = "menu-words";
  words.textContent = "Nobody found. Enter opens the whole list.";
  return words;
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
