import { regionOf } from "./fragments.js";
import { announce } from "./live.js";

// Asks every few seconds whether the days that are shown have changed; almost always the answer is an empty 304. What
// has changed takes the place of what was there; the focus, the scrolling and what is open stay where they are.
export function keepUpToDate(region, afterwards) {
  const trouble = document.querySelector("[data-diary-trouble]");
  let asking = false;

  const look = async () => {
    if (asking || document.hidden || region.matches("[data-waits]") || region.querySelector("[data-busy]")) return;
    asking = true;
    try {
      const { version, source } = region.dataset;
      const answer = await fetch(source, {
        headers: { "X-Fragment": "1", "If-None-Match": `"${version}"` }, credentials: "same-origin", cache: "no-store",
      });
      if (answer.status !== 304) {
        if (!answer.ok || answer.redirected) return say(answer.status === 401 ? "signed-out" : "lost");
        const fresh = regionOf("diary", new DOMParser().parseFromString(await answer.text(), "text/html"));
        if (!fresh) return say("lost");
        take(region, fresh);
        afterwards();
      }
      say("");
    } catch {
      say("lost");
    } finally {
      asking = false;
    }
  };
  const say = (what) => {
    if (trouble.dataset.trouble === what) return;
    trouble.dataset.trouble = what;
    trouble.hidden = !what;
    trouble.querySelectorAll("[data-when]").forEach((one) => { one.hidden = one.dataset.when !== what; });
  };

  setInterval(look, Number(region.dataset.every) * 1000);
  document.addEventListener("visibilitychange", look);
  window.addEventListener("online", look);
}

function take(region, fresh) {
  const focused = region.contains(document.activeElement) ? document.activeElement.id : "";
  const box = region.querySelector(".diary-scroll");
  const place = box && [box.scrollLeft, box.scrollTop];
  const open = [...region.querySelectorAll("details")].map((one) => one.open);
  const before = new Map([...region.querySelectorAll("[data-visit]")].map((one) => [one.id, one.outerHTML]));

  region.replaceChildren(...fresh.childNodes);
  Object.assign(region.dataset, fresh.dataset);

  region.querySelectorAll("details").forEach((one, at) => { one.open ||= open[at] ?? false; });
  const now = region.querySelector(".diary-scroll");
  if (now && place) [now.scrollLeft, now.scrollTop] = place;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  const changed = [...region.querySelectorAll("[data-visit]")].filter((one) => before.get(one.id) !== one.outerHTML);
  changed.forEach((one) => one.classList.add("block-fresh"));
  const visits = new Set(changed.map((one) => one.dataset.visit)).size;
  if (visits) announce(visits === 1 ? "A visit has changed" : `${visits} visits have changed`);
}
