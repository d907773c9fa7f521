export function enablePrinting() {
  document.querySelectorAll("[data-print]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  });
}

// A page that comes back with errors begins at their list.
export function focusFirstError() {
  document.querySelector("[data-focus-first]")?.focus();
}

// The zone of this device, where none is chosen yet and the list has it.
export function guessZone() {
  const field = document.querySelector("[data-guess-zone] select");
  if (!field || field.value) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...field.options].some((option) => option.value === zone)) field.value = zone;
}
