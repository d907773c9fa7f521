// Tells people who listen to the page what has changed on it.
export function announce(words) {
  const place = document.getElementById("live");
  if (!place || !words) return;
  // Emptied first, because the same words twice in a row would be told once.
  place.textContent = "";
  setTimeout(() => { place.textContent = words; }, 60);
}
