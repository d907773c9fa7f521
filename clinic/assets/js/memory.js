// What a browser remembers of a page: for this tab, or on this device. Where it forbids that, or has no room, nothing is
// remembered, and each page is as at its first time.
const memory = (kind) => ({
  recall: (name) => attempt(() => window[kind].getItem(name)),
  keep: (name, value) => attempt(() => window[kind].setItem(name, value)),
  forget: (name) => attempt(() => window[kind].removeItem(name)),
});

function attempt(act) {
  try {
    return act() ?? null;
  } catch {
    return null;
  }
}

export const inTab = memory("sessionStorage");
export const onDevice = memory("localStorage");
