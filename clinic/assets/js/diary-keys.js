// The grid is one stop of the Tab key, and up and down go into it from nowhere; inside it the arrow keys go from visit to
// visit and to free time. Escape leaves it, so that left and right turn the day again. M picks a visit up: the arrows then go from place to place, on to other
// days as well, and Escape puts it back.
import { announce } from "./live.js";
import { goTo, turn } from "./diary-places.js";

const STOPS = ":is([data-visit], [data-free]):not([data-in-hand] *), [data-place]";

const middle = (one) => { const { top, height } = one.getBoundingClientRect(); return top + height / 2; };
const columnOf = (one) => one.closest(".diary-column");
const within = (column) => [...column.querySelectorAll(STOPS)];

export function enableKeys(region) {
  region.addEventListener("keydown", (event) => {
    const stop = event.target.closest(STOPS);
    if (!stop || !columnOf(stop) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      const back = region.querySelector("[data-put-back]");
      if (back) event.preventDefault();
      back ? goTo(back.href) : stop.blur();
      return;
    }
    if (event.key === "m" && stop.matches("[data-visit]")) {
      event.preventDefault();
      const link = stop.parentElement.querySelector(".pick-up");
      link ? goTo(link.href) : announce("This visit cannot be moved.");
      return;
    }
    const to = next(stop, event.key);
    if (to === undefined) return;
    event.preventDefault();
    if (to === null && "inHand" in region.dataset && /Left|Right/.test(event.key)) turn(event.key);
    to?.focus();
  });
  region.addEventListener("focusin", (event) => {
    const stop = event.target.closest(STOPS);
    if (stop && columnOf(stop)) hold(region, stop);
  });
  document.addEventListener("keydown", (event) => {
    if (!/^Arrow(Up|Down)$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.activeElement !== document.body && document.activeElement.id !== "content") return;
    const stop = region.querySelector(`.diary-column :is(${STOPS})[tabindex="0"]`);
    if (!stop) return;
    event.preventDefault();
    stop.focus();
  });
  enableKeys.again(region);
}

// Called once more when the grid was put up anew.
enableKeys.again = (region) => {
  const stops = [...region.querySelectorAll(".diary-column")].flatMap(within);
  region.querySelectorAll(".pick-up").forEach((one) => { one.tabIndex = -1; });
  if (!stops.length) return;
  region.querySelector(".diary-scroll").tabIndex = -1;
  const line = region.querySelector(".now-line");
  const coming = line ? within(columnOf(line)).find((one) => middle(one) >= line.getBoundingClientRect().top) : null;
  hold(region, region.contains(document.activeElement) ? document.activeElement.closest(STOPS) : coming ?? stops[0]);
};

function hold(region, stop) {
  region.querySelectorAll(".diary-column :is(" + STOPS + ")").forEach((one) => { one.tabIndex = one === stop ? 0 : -1; });
}

// Where a key leads; null: nowhere from here; undefined: it is no key of ours.
function next(stop, key) {
  const column = columnOf(stop);
  const stops = within(column);
  const at = stops.indexOf(stop);
  if (key === "ArrowDown") return stops[at + 1] ?? null;
  if (key === "ArrowUp") return stops[at - 1] ?? null;
  if (key === "Home") return stops[0];
  if (key === "End") return stops.at(-1);
  const step = { ArrowLeft: "previousElementSibling", ArrowRight: "nextElementSibling" }[key];
  if (!step) return undefined;
  for (let other = column[step]; other; other = other[step]) {
    const found = within(other).sort((one, two) => Math.abs(middle(one) - middle(stop)) - Math.abs(middle(two) - middle(stop)))[0];
    if (found) return found;
  }
  return null;
}
