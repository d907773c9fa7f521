// A date on the time line is pressed like its button in the list below, which the keyboard reaches.
export function pressByDrawing() {
  document.addEventListener("click", (event) => {
    document.getElementById(event.target.closest?.("[data-presses]")?.dataset.presses)?.click();
  });
}

// Times in rows of days: arrows go from time to time, and up and down to the nearest time of another day.
export function enableArrowsBetweenTimes() {
  document.addEventListener("keydown", (event) => {
    const chips = event.target.closest?.("[data-chips]");
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!chips || !step) return;
    const days = [...chips.querySelectorAll("ul")].map((day) => [...day.querySelectorAll("button, a")]);
    const at = days.findIndex((day) => day.includes(event.target));
    const place = days[at]?.indexOf(event.target) ?? 0;
    const day = days[at + step[0]];
    const next = day?.[Math.min(place + step[1], step[0] ? day.length - 1 : Infinity)];
    event.preventDefault();
    next?.focus();
  });
}
