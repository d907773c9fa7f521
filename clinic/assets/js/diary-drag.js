// A visit is dragged with the mouse, or after a long press with a finger. Its places are asked for once, when it is
// picked up; where it is dropped leads to the review, or to what speaks against that time. Nothing is changed here.
import { announce } from "./live.js";
import { goTo, placesOf, showPlaces, takePlacesAway } from "./diary-places.js";

const SLACK = 5;
const PRESS = 400;
const EDGE = 44;
const SNAP = 20;
const HOME = 9;
const TURN = 700;
const ROW = 5;
const STEP = 15;

export function enableDragging(region) {
  let held = null;

  region.addEventListener("pointerdown", (event) => {
    const slot = event.target.closest(".slot");
    const link = slot?.querySelector(".pick-up");
    if (held || !link || event.button !== 0 || !event.isPrimary) return;
    const { top } = slot.getBoundingClientRect();
    held = { block: slot.querySelector("[data-visit]"), link, id: event.pointerId, from: event, last: event, above: event.clientY - top };
    if (event.pointerType === "touch") held.timer = setTimeout(begin, PRESS);
  });
  region.addEventListener("pointermove", (event) => {
    if (event.pointerId !== held?.id) return;
    held.last = event;
    if (held.ghost) return follow();
    if (far(event) > SLACK) event.pointerType === "touch" ? letGo() : begin();
  });
  region.addEventListener("pointerup", (event) => { if (event.pointerId === held?.id) held.ghost ? drop() : letGo(); });
  region.addEventListener("pointercancel", (event) => { if (event.pointerId === held?.id) letGo(); });
  // A finger that holds a visit does not scroll, open a menu or follow the link; the mouse does not drag the link away.
  region.addEventListener("touchmove", (event) => { if (held?.ghost) event.preventDefault(); }, { passive: false });
  region.addEventListener("contextmenu", (event) => { if (held?.from.pointerType === "touch") event.preventDefault(); });
  region.addEventListener("dragstart", (event) => { if (event.target.closest(".slot")) event.preventDefault(); });
  region.addEventListener("click", (event) => { if (held?.ghost || held?.dropped) event.preventDefault(); }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !held?.ghost) return;
    event.preventDefault();
    putBack();
  }, true);
  window.addEventListener("pagehide", letGo);

  const far = (event) => Math.hypot(event.clientX - held.from.clientX, event.clientY - held.from.clientY);

  function begin() {
    // What a colleague changed meanwhile has taken the place of the visit under the finger.
    if (!held.block.isConnected) return letGo();
    const box = held.box = held.block.getBoundingClientRect();
    const ghost = held.ghost = held.block.cloneNode(true);
    ghost.removeAttribute("id");
    ghost.classList.add("ghost");
    ghost.setAttribute("aria-hidden", "true");
    ghost.tabIndex = -1;
    // While this is in the region, nothing in it is replaced.
    ghost.dataset.busy = "";
    Object.assign(ghost.style, { left: `${box.left}px`, top: `${box.top}px`, width: `${box.width}px`, height: `${box.height}px` });
    region.append(ghost);
    region.dataset.dragging = "";
    held.block.classList.add("block-in-hand");
    region.setPointerCapture(held.id);
    const mine = held;
    held.ready = placesOf(held.link.href).then((found) => {
      if (held !== mine) return;
      const count = showPlaces(region, found);
      announce(`Picked up. ${count} places here.`);
      follow();
    }).catch(() => { if (held === mine) putBack(); });
    held.scrolling = setInterval(scroll, 16);
    follow();
  }

  function follow() {
    const { from, last, ghost, above } = held;
    held.aim?.classList.remove("spot-aim");
    held.column = [...region.querySelectorAll(".diary-column")].find((one) => holds(one.getBoundingClientRect(), last.clientX));
    const start = last.clientY - above;
    // Where it came from is no place to go to: let go there, it is simply back.
    held.isHome = held.column === held.block.closest(".diary-column") && Math.abs(held.block.getBoundingClientRect().top - start) < HOME;
    held.aim = held.isHome ? null : nearest(held.column, start);
    held.aim?.classList.add("spot-aim");
    const { left, top, width } = held.box;
    const place = held.aim?.getBoundingClientRect() ?? { left: left + last.clientX - from.clientX, top: top + last.clientY - from.clientY, width };
    Object.assign(ghost.style, { translate: `${place.left - left}px ${place.top - top}px`, width: `${place.width}px` });
    const known = region.querySelector("[data-spots]") !== null;
    ghost.classList.toggle("ghost-off", known && !held.aim && !held.isHome);
    ghost.querySelector(".block-what").textContent = held.aim?.querySelector("[data-place]").dataset.said
      ?? (held.isHome ? "Where it is now" : known ? "It does not fit here." : "");
  }

  async function drop() {
    const mine = held;
    if (far(held.last) <= SLACK) return mine.from.pointerType === "touch" ? goTo(mine.link.href) : putBack();
    await mine.ready;
    if (held !== mine) return;
    follow();
    const href = held.aim?.querySelector("[data-place]").href ?? elsewhere();
    if (!href) return putBack();
    clearInterval(held.scrolling);
    held.dropped = true;
    goTo(href);
  }

  // The quarter of an hour under the upper edge of what is dragged, in a column: why it does not fit there.
  function elsewhere() {
    const spots = held.column?.querySelector("[data-spots]");
    if (!spots || held.isHome) return null;
    const { top, bottom } = spots.getBoundingClientRect();
    const start = held.last.clientY - held.above;
    if (start < top - SNAP || start > bottom) return null;
    const rows = Number(getComputedStyle(spots).getPropertyValue("--d"));
    const minutes = Math.max(0, Math.round(((start - top) / (bottom - top)) * rows * ROW / STEP) * STEP);
    const at = new Date(Date.parse(spots.dataset.from) + minutes * 60_000).toISOString();
    return `${spots.dataset.there}&at=${at.slice(0, 16)}Z`;
  }

  // Near an edge, what is below comes into view; a column that fills the screen makes place for the next.
  function scroll() {
    const box = region.querySelector(".diary-scroll");
    const seen = box.getBoundingClientRect();
    const { clientX, clientY } = held.last;
    const inner = box.scrollHeight > box.clientHeight + 1;
    const [high, low] = inner ? [seen.top, Math.min(seen.bottom, innerHeight)] : [0, innerHeight];
    const down = clientY < high + EDGE ? -8 : clientY > low - EDGE ? 8 : 0;
    const side = clientX < seen.left + EDGE ? -1 : clientX > seen.right - EDGE ? 1 : 0;
    if (down) (inner ? box : window).scrollBy(0, down);
    if (side && performance.now() - (held.turned ?? 0) > TURN && box.scrollWidth > box.clientWidth + 1) {
      held.turned = performance.now();
      box.scrollBy({ left: side * region.querySelector(".diary-column").clientWidth, behavior: "instant" });
    }
    if (down || side) follow();
  }

  function putBack() {
    letGo();
    announce("Put back where it was.");
  }

  function letGo() {
    if (!held) return;
    clearTimeout(held.timer);
    clearInterval(held.scrolling);
    held.ghost?.remove();
    held.block.classList.remove("block-in-hand");
    if (region.hasPointerCapture(held.id)) region.releasePointerCapture(held.id);
    if ("dragging" in region.dataset) takePlacesAway(region);
    delete region.dataset.dragging;
    held = null;
  }
}

const holds = ({ left, right }, x) => x >= left && x < right;

function nearest(column, start) {
  let best = null;
  let least = SNAP;
  for (const spot of column?.querySelectorAll(".spot") ?? []) {
    const away = Math.abs(spot.getBoundingClientRect().top - start);
    if (away < least) [best, least] = [spot, away];
  }
  return best;
}
