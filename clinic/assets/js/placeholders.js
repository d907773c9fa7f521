// The placeholders that a text may name become buttons, which put them where the caret stands.
export function offerPlaceholders() {
  document.querySelectorAll("[data-insert]").forEach((shown) => {
    const field = document.getElementById(shown.dataset.insert);
    const button = buttonFor(shown.textContent, () => insert(field, shown.textContent));
    button.className = shown.className;
    button.setAttribute("aria-label", `Insert ${shown.textContent}`);
    shown.replaceWith(button);
  });
  document.querySelectorAll("[data-begin]").forEach((place) => {
    const field = document.getElementById(place.dataset.begin);
    const button = buttonFor("Begin with ours", () => {
      field.setSelectionRange(0, field.value.length);
      insert(field, place.dataset.text);
    });
    button.className = "own-begin";
    place.append(button);
    const follow = () => { place.hidden = field.value.trim() !== ""; };
    field.addEventListener("input", follow);
    follow();
  });
}

function buttonFor(words, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words;
  button.addEventListener("click", act);
  return button;
}

function insert(field, words) {
  field.focus();
  // So that it can be undone like anything that is typed, where the browser can do that.
  if (!document.execCommand("insertText", false, words)) {
    field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
