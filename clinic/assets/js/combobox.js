import { askFor, regionOf } from "./fragments.js";
import { announce } from "./live.js";
import { isTrouble, tellLost } from "./lost.js";

const REGION = "booking-patients";
const PAUSE = 120;
const LEAST = 2;

// The search of a form as a combobox: a list of options follows the typing, the arrows choose among them, Enter takes
// the chosen one. Each option is a link where no script runs. `take` gets the address of what was chosen.
export function choosing(form, take) {
  const input = form.querySelector("input[type=search]");
  let timer, running, at = 0, wanted = false;
  const root = form.parentElement;
  const options = () => [...root.querySelectorAll("[role=option]")];

  Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "booking-matches" })
    .forEach(([name, value]) => input.setAttribute(name, value));
  form.querySelector("button").hidden = true;

  const mark = (place) => {
    const all = options();
    at = all.length ? (place + all.length) % all.length : 0;
    all.forEach((one, n) => one.setAttribute("aria-selected", String(n === at)));
    if (all[at]) {
      input.setAttribute("aria-activedescendant", all[at].id);
      all[at].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-expanded", String(all.length > 0));
  };
  // Options hold no links: what can be pressed is the option itself.
  const dress = () => {
    const list = root.querySelector("#booking-matches");
    list?.setAttribute("role", "listbox");
    list?.querySelectorAll("li").forEach((item) => {
      const link = item.querySelector("a");
      item.setAttribute("role", "option");
      item.dataset.href = link.href;
      const inside = document.createElement("span");
      inside.className = link.className;
      inside.append(...link.childNodes);
      link.replaceWith(inside);
      item.addEventListener("click", () => take(item.dataset.href));
    });
    mark(0);
  };
  const ask = async () => {
    const typed = input.value.trim();
    if (typed.length < LEAST) return show(null);
    running = new AbortController();
    const url = new URL(form.dataset.find, location.href);
    url.searchParams.set("q", typed);
    const found = await askFor(REGION, url, running.signal);
    if (!found) return;
    show(found);
    announce(found.dataset.announce);
    running = null;
    if (wanted && options().length === 1) take(options()[0].dataset.href);
    wanted = false;
  };
  // Nobody whom earlier letters found is left to be taken for the one who is looked for now.
  const look = () => ask().catch((problem) => {
    if (!isTrouble(problem)) return;
    running = null;
    wanted = false;
    show(null);
    tellLost(regionOf(REGION, root));
  });
  const show = (found) => {
    const region = regionOf(REGION, root);
    if (!region) return; // what was looked for is chosen
    region.replaceChildren(...(found?.childNodes ?? []));
    dress();
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    running?.abort();
    running = new AbortController();
    wanted = false;
    timer = setTimeout(look, PAUSE);
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && options().length) {
      event.preventDefault();
      mark(at + step);
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      // Before the answer is there, Enter means the one who is found, if it is one.
      if (running) wanted = true;
      else if (options()[at]) take(options()[at].dataset.href);
      else look();
    } else if (event.key === "Escape" && input.value) {
      event.preventDefault();
      input.value = "";
      show(null);
    }
  });
  dress();
}
