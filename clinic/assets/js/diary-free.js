// Free time is one link however long it is: the pointer chooses the time within it, to the quarter of an hour.
const STEP = 15;
const ROW = 5;

export function pointAtTimes(region) {
  region.addEventListener("pointermove", (event) => {
    const free = event.target.closest("[data-free]");
    if (!free || event.pointerType === "touch") return;
    const minutes = pointed(free, event);
    const words = free.querySelector(".free-words");
    words.style.translate = `0 ${(minutes / ROW) * height(free)}px`;
    free.querySelector("[data-time]").textContent = clock(begins(free) + minutes);
  });
  region.addEventListener("pointerout", (event) => {
    const free = event.target.closest("[data-free]");
    if (!free || free.contains(event.relatedTarget)) return;
    free.querySelector(".free-words").style.translate = "";
    const time = free.querySelector("[data-time]");
    time.textContent = time.dataset.time;
  });
  region.addEventListener("click", (event) => {
    const free = event.target.closest("[data-free]");
    // A key has no place: it means the beginning.
    if (free && event.detail) free.href = at(free, pointed(free, event));
  });
}

const rows = (free) => Number(free.dataset.rows);
const height = (free) => free.getBoundingClientRect().height / rows(free);

function begins(free) {
  const [, hours, minutes] = new URL(free.href).searchParams.get("at").match(/T(\d\d):(\d\d)/);
  return Number(hours) * 60 + Number(minutes);
}

// Minutes after the beginning: the last quarter of the clock above the pointer, or the beginning itself.
function pointed(free, event) {
  const down = Math.max(0, event.clientY - free.getBoundingClientRect().top);
  const first = begins(free);
  const minute = first + Math.floor(down / height(free)) * ROW;
  return Math.max(first, minute - (minute % STEP)) - first;
}

function at(free, minutes) {
  const url = new URL(free.href);
  const [day] = url.searchParams.get("at").split("T");
  url.searchParams.set("at", `${day}T${clock(begins(free) + minutes)}`);
  return url.href;
}

const clock = (minutes) => `${String(Math.floor(minutes / 60) % 24).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
