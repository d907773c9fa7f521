// Menus and questions that open in place: one at a time; Escape or a click elsewhere closes them.
const openOnes = () => document.querySelectorAll("details[data-dismissable][open]");

function close(one) {
  const held = one.contains(document.activeElement);
  one.open = false;
  if (held) one.querySelector("summary").focus();
}

export function closeWhatIsOpen() {
  document.querySelectorAll("[data-dismiss]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => close(button.closest("details")));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") openOnes().forEach(close);
  });
  document.addEventListener("click", (event) => {
    openOnes().forEach((one) => { if (!one.contains(event.target)) one.open = false; });
  });
}
