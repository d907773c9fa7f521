// A date on the time line is pressed like its button in the list below, which the keyboard reaches.
export function pressByDrawing() {
  document.addEventListener("click", (event) => {
    document.getElementById(event.target.closest?.("[data-presses]")?.dataset.presses)?.click();
  });
}
