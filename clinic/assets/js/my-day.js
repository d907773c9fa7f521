import { keepUpToDate } from "./diary-live.js";

// The day of a practitioner keeps itself up to date, but never under somebody's hands: while a note is written, or a
// list of buttons is open, it waits. Swiping turns the day.
const FARTHER = 70;
const STRAIGHT = 0.5;

export function turnMyDay(region) {
  const inUse = () => [...region.querySelectorAll("textarea, input.input")].some((one) => one.value)
    || region.querySelector("details[open]") || document.activeElement?.closest("textarea");
  setInterval(() => region.toggleAttribute("data-waits", Boolean(inUse())), 500);
  keepUpToDate(region, () => {});
  swipe(region);
}

function swipe(region) {
  let begun = null;
  document.addEventListener("touchstart", ({ touches, target }) => {
    begun = touches.length === 1 && !target.closest("textarea, input") ? touches[0] : null;
  }, { passive: true });
  document.addEventListener("touchend", ({ changedTouches }) => {
    if (!begun) return;
    const along = changedTouches[0].clientX - begun.clientX;
    const across = changedTouches[0].clientY - begun.clientY;
    begun = null;
    if (Math.abs(along) < FARTHER || Math.abs(across) > Math.abs(along) * STRAIGHT) return;
    const later = (along < 0) === (getComputedStyle(region).direction === "ltr");
    document.querySelector(`[data-shortcut="${later ? "ArrowRight" : "ArrowLeft"}"]`)?.click();
  });
}
