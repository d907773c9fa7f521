// In a region marked `data-arrows` the arrow keys go from stop to stop as these lie on the screen: to whatever is marked
// `data-stop`, or to each link and button where nothing is. Where nothing has the focus, up and down go in. An open menu
// is such a region, too.
const AHEAD = {
  ArrowDown: (from, to) => to.top - from.bottom, ArrowUp: (from, to) => from.top - to.bottom,
  ArrowRight: (from, to) => to.left - from.right, ArrowLeft: (from, to) => from.left - to.right,
};
// Rounded places may overlap a little; what lies aside counts more than what lies ahead.
const SLACK = 3;
const ASIDE = 4;

export function enableArrows() {
  document.addEventListener("keydown", (event) => {
    const ahead = AHEAD[event.key];
    if (!ahead || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const at = document.activeElement;
    const region = at.closest("details.menu[open], [data-arrows]") ?? (isNowhere(at) ? document.querySelector("[data-arrows]") : null);
    if (!region || at.matches("input, select, textarea")) return;
    const isSideways = ahead === AHEAD.ArrowLeft || ahead === AHEAD.ArrowRight;
    const stops = stopsOf(region);
    const next = region.contains(at) ? nearest(stops, at, ahead, isSideways)
      : !isSideways && (stops.find((one) => one.matches("[data-stop=here]")) ?? stops[0]);
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}

// Nothing has the focus, or the page as a whole, after the link that skips the bar.
const isNowhere = (at) => at === document.body || at.id === "content";

function stopsOf(region) {
  const marked = [...region.querySelectorAll("[data-stop]")];
  return (marked.length ? marked : [...region.querySelectorAll("a[href], button, summary")]).filter((one) => one.getClientRects().length);
}

function nearest(stops, at, ahead, isSideways) {
  const from = at.getBoundingClientRect();
  const [low, high] = isSideways ? ["top", "bottom"] : ["left", "right"];
  let best, least = Infinity;
  for (const one of stops) {
    const to = one.getBoundingClientRect();
    const along = ahead(from, to);
    const aside = Math.max(0, to[low] - from[high], from[low] - to[high]);
    if (one === at || along < -SLACK || (isSideways && aside)) continue;
    const far = along + ASIDE * aside + Math.abs(to[low] - from[low]) / ASIDE;
    if (far < least) [best, least] = [one, far];
  }
  return best;
}
