// The places of a visit in hand: asked for as the page that shows them, and, on that page, gone through with the arrows.
import { regionOf } from "./fragments.js";
import { announce } from "./live.js";
import { inTab } from "./memory.js";

const KEPT = "diary-in-hand";

export const goTo = (href) => location.assign(href);

// The page on which that visit is in hand; it has the same columns as this one.
export async function placesOf(href) {
  const answer = await fetch(href, { headers: { "X-Fragment": "1" }, credentials: "same-origin" });
  const found = answer.ok && regionOf("diary", new DOMParser().parseFromString(await answer.text(), "text/html"));
  if (!found) throw new Error("no places");
  return found;
}

// Lays the places of that page over the columns of this one; says how many there are.
export function showPlaces(region, found) {
  found.querySelectorAll("[data-spots]").forEach((spots) => {
    const column = document.getElementById(spots.closest(".diary-column").id);
    column?.querySelector(".diary-column > .diary-body").append(spots);
  });
  return region.querySelectorAll("[data-place]").length;
}

export const takePlacesAway = (region) => region.querySelectorAll("[data-spots]").forEach((spots) => spots.remove());

// On the page of a visit in hand the focus begins at the place nearest to the time of day that it had last.
export function beginAtPlace(region) {
  const card = region.querySelector("[data-card]");
  if (!card) return inTab.forget(KEPT);
  const before = JSON.parse(inTab.recall(KEPT) ?? "null");
  const kept = before?.visit === card.dataset.card ? before : null;
  const columns = [...region.querySelectorAll(".diary-column")].filter((one) => one.querySelector("[data-place]"));
  const usual = kept?.key === "ArrowLeft" ? columns.at(-1) : columns[0];
  const same = kept ? kept.column : region.querySelector(".block-in-hand")?.closest(".diary-column").id;
  const column = (kept?.key ? null : columns.find((one) => one.id === same)) ?? usual;
  const wanted = minutes(kept?.time ?? card.dataset.time);
  const place = [...(column?.querySelectorAll("[data-place]") ?? [])]
    .sort((one, two) => Math.abs(minutes(one.dataset.place) - wanted) - Math.abs(minutes(two.dataset.place) - wanted))[0];
  if (matchMedia("(hover: hover)").matches) place?.focus();
  if (!kept) announce(`${card.dataset.said} Arrows choose a place, Enter looks at it, Escape puts it back.`);
  keep(card, { column: column?.id, time: kept?.time ?? card.dataset.time });
  region.addEventListener("focusin", (event) => {
    const chosen = event.target.closest("[data-place]");
    if (chosen) keep(card, { column: chosen.closest(".diary-column").id, time: chosen.dataset.place });
  });
}

// Beyond the outer columns lie the days before and after.
export function turn(key) {
  const kept = JSON.parse(inTab.recall(KEPT) ?? "{}");
  inTab.keep(KEPT, JSON.stringify({ ...kept, key }));
  document.querySelector(`[data-shortcut="${key}"]`)?.click();
}

const keep = (card, what) => inTab.keep(KEPT, JSON.stringify({ visit: card.dataset.card, ...what }));
const minutes = (time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
