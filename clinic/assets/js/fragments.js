// Regions of a page that can be asked for again: <div data-fragment="name">.
export const regionOf = (name, root = document) => root.querySelector(`[data-fragment="${CSS.escape(name)}"]`);

// The region as the server shows it now, or null when the answer does not hold it (signed out, say).
export async function askFor(name, url, signal) {
  if (!navigator.onLine) throw new TypeError("No connection");
  const answer = await fetch(url, { headers: { "X-Fragment": "1" }, credentials: "same-origin", signal });
  if (!answer.ok || answer.redirected) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return regionOf(name, page);
}
