import { inTab } from "./memory.js";

const KEPT = "diary-place";

// The next day begins where this one was left, and today where the clock stands.
export function keepPlace(region) {
  const box = region.querySelector(".diary-scroll");
  if (!box) return;
  const asked = new URL(region.dataset.source, location.href).searchParams;
  const shown = ["show", "by", "of"].map((name) => asked.get(name)).join(" ");
  const kept = JSON.parse(inTab.recall(KEPT) ?? "null");
  if (kept?.shown === shown && !location.hash) box.scrollTo(kept.left, kept.top);
  else {
    region.querySelector(".now-time")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (!location.hash) showToday(box);
  }
  window.addEventListener("pagehide", () => {
    const now = region.querySelector(".diary-scroll");
    if (now) inTab.keep(KEPT, JSON.stringify({ shown, left: now.scrollLeft, top: now.scrollTop }));
  });
}

// A week that is wider than the screen begins with today.
function showToday(box) {
  const column = box.querySelector(".diary-name-today")?.closest(".diary-column").getBoundingClientRect();
  const { left, right } = box.getBoundingClientRect();
  if (column?.right > right) box.scrollLeft += column.left - left - box.querySelector(".diary-axis").offsetWidth;
}

// On a narrow screen the row of names says which column is shown.
export function markColumn(region) {
  const links = new Map([...region.querySelectorAll(".diary-switch a")].map((link) => [link.hash.slice(1), link]));
  if (!links.size) return;
  const watcher = new IntersectionObserver((seen) => seen.forEach(({ target, isIntersecting }) => {
    if (isIntersecting) mark(links.get(target.id));
    else links.get(target.id)?.removeAttribute("aria-current");
  }), { root: region.querySelector(".diary-scroll"), threshold: 0.6 });
  region.querySelectorAll(".diary-column").forEach((column) => watcher.observe(column));
}

function mark(link) {
  if (!link) return;
  link.setAttribute("aria-current", "true");
  const bar = link.closest(".diary-switch");
  bar.scrollLeft = link.offsetLeft - (bar.clientWidth - link.offsetWidth) / 2;
}

// A choice of the bar is followed as soon as it is made.
export function followChoices() {
  document.querySelectorAll("[data-follow]").forEach((form) => {
    form.querySelector("button").hidden = true;
    form.addEventListener("change", () => form.requestSubmit());
  });
}
