import { announce } from "./live.js";

const WORDS = "No connection. What you typed is still here: try again.";

// Says at that place that there is no connection; `said` is what people who listen to the page are told.
export function tellLost(place, { before = null, said = WORDS } = {}) {
  const words = place.querySelector("[data-lost]") ?? document.createElement("p");
  words.dataset.lost = "";
  words.className = "field-error";
  words.textContent = WORDS;
  place.insertBefore(words, before ?? place.firstChild);
  announce(said);
}

// Typing that goes on drops the question before it: that is no trouble.
export const isTrouble = (problem) => problem.name !== "AbortError";
