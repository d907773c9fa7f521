import { askFor, regionOf } from "./fragments.js";
import { announce } from "./live.js";

// Asks for a region every so often, never under somebody's hands: not while the page is hidden, while something in
// the region is open or has the focus, or when paused.
export function keepFresh(box) {
  const name = box.dataset.refresh;
  const pause = box.querySelector("[data-refresh-pause]");
  const paused = () => pause?.getAttribute("aria-pressed") === "true";

  const refresh = async () => {
    const fresh = await askFor(name, location.href).catch(() => null);
    const shown = regionOf(name);
    if (!fresh || fresh.innerHTML === shown.innerHTML) return;
    shown.replaceWith(fresh);
    if (fresh.dataset.announce !== shown.dataset.announce) announce(fresh.dataset.announce);
  };
  const inUse = () => {
    const region = regionOf(name);
    return region.contains(document.activeElement) || region.querySelector("details[open]");
  };

  if (pause) {
    pause.hidden = false;
    pause.addEventListener("click", () => pause.setAttribute("aria-pressed", String(!paused())));
  }
  box.querySelector("[data-refresh-now]")?.addEventListener("click", (event) => {
    event.preventDefault();
    refresh();
  });
  setInterval(() => { if (!document.hidden && !paused() && !inUse()) refresh(); }, Number(box.dataset.refreshSeconds) * 1000);
}
