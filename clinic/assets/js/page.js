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
