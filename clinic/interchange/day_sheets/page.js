
"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const sealed = find("sealed"), said = find("said"), field = find("passphrase"), press = find("press");
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const base64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));

  // On a phone the rows are no table to the eye: the roles keep them one for who listens.
  const roles = { table: "table", thead: "rowgroup", tbody: "rowgroup", tr: "row", td: "cell" };

  // Everything that was sealed comes in as text, never as markup.
  const made = (tag, look, ...inside) => {
    const element = document.createElement(tag);
    if (look) element.className = look;
    if (roles[tag]) element.setAttribute("role", roles[tag]);
    element.append(...inside);
    return element;
  };
  const own = (tag, look, text) => {
    const element = made(tag, look, text);
    element.dir = "auto";
    return element;
  };
  const counted = (number) => `${number} ${number === 1 ? "visit" : "visits"}`;

  // Days are compared by the calendar of this computer: it may be wrong, so nothing is refused for it.
  const age = () => {
    const { from, until } = find("stands").dataset, now = new Date();
    const today = new Date(now.getFullYear(), now.getMonth(), now.getDate());
    const days = Math.round((today - new Date(`${from}T00:00`)) / 86400000);
    if (today > new Date(`${until}T00:00`)) return " (these days are over: look for newer sheets)";
    if (days > 0) return ` (${days === 1 ? "yesterday" : `${days} days ago`}: look for newer sheets)`;
    return days === 0 ? " (today)" : "";
  };

  const key = async (words) => {
    const typed = words.normalize("NFKC").trim().replace(/\s+/g, " ");
    const raw = await crypto.subtle.importKey("raw", new TextEncoder().encode(typed), "PBKDF2", false, ["deriveKey"]);
    const how = { name: "PBKDF2", hash: "SHA-256", salt: bytes(sealed.dataset.salt), iterations: Number(sealed.dataset.rounds) };
    return crypto.subtle.deriveKey(how, raw, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
  };

  const opened = async (words) => {
    const how = { name: "AES-GCM", iv: bytes(sealed.dataset.nonce) };
    return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(how, await key(words), bytes(sealed.textContent))));
  };

  const row = (visit) => {
    const time = made("td", "time", made("strong", "", visit.time), document.createElement("br"), visit.ends);
    if (visit.expected) time.append(document.createElement("br"), `about ${visit.expected}`);
    const name = made("th", "", own("span", "", visit.patient));
    name.scope = "row";
    name.setAttribute("role", "rowheader");
    if (visit.phone) name.append(document.createElement("br"), made("bdi", "phone", visit.phone));
    const what = made("td", "", visit.mark ? `${visit.what}, ${visit.mark}` : visit.what);
    if (visit.alerts) what.append(document.createElement("br"), made("strong", "", "! ", own("span", "", visit.alerts)));
    for (const note of visit.notes) what.append(document.createElement("br"), own("em", "", note));
    const held = made("td", "");
    visit.held.forEach((each, place) => held.append(place ? ", " : "", own("span", "", each)));
    if (visit.away) held.append(document.createElement("br"), made("strong", "", "! ", own("span", "", visit.away)));
    return made("tr", "", time, name, what, held, made("td", "pen"));
  };

  const list = (sheets, day, whose) => {
    const visits = day.visits.filter((visit) => !whose || visit.held.includes(whose));
    const heading = made("h2", "", day.words);
    const head = made("div", "head", heading, made("p", "soft",
      ...(whose ? [own("bdi", "", whose), " · "] : []), made("bdi", "", sheets.clinic), `${visits.length ? ` · ${counted(visits.length)}` : ""} · as of ${sheets.as_of}`));
    const section = made("section", visits.length ? "" : "empty", head);
    section.id = `day-${day.on}`;
    if (!visits.length) section.append(made("p", "soft", "Nobody comes."));
    else {
      const heads = ["Time", "Patient", "What", "With, and where", "By hand"].map((text) => {
        const cell = made("th", "", text);
        cell.scope = "col";
        cell.setAttribute("role", "columnheader");
        return cell;
      });
      section.append(made("table", "", made("thead", "", made("tr", "", ...heads)), made("tbody", "", ...visits.map(row))));
    }
    return section;
  };

  const choice = (sheets, draw) => {
    const select = made("select", "", made("option", "", "Everybody"));
    select.options[0].value = "";
    for (const [label, names] of sheets.whose) {
      const group = made("optgroup", "", ...names.map((name) => made("option", "", name)));
      group.label = label;
      if (names.length) select.append(group);
    }
    select.addEventListener("change", () => draw(select.value));
    return made("label", "", "Whose list", select);
  };

  const pressed = (text, id, act) => {
    const button = made("button", "", text);
    button.type = "button";
    button.id = id;
    button.addEventListener("click", act);
    return button;
  };

  const show = (sheets) => {
    const lists = made("div", "");
    const draw = (whose) => lists.replaceChildren(...sheets.days.map((day) => list(sheets, day, whose)));
    const links = sheets.days.map((day) => {
      const link = made("a", "day-link", day.short);
      link.href = `#day-${day.on}`;
      return link;
    });
    const title = made("h1", "", made("bdi", "", sheets.clinic));
    title.tabIndex = -1;
    find("sheets").replaceChildren(
      made("header", "", made("p", "what", "Day sheets"), title,
        made("p", "soft", `As of ${sheets.as_of}${age()}. What was changed later is not here: write it down, and enter it when the diary is back.`)),
      made("div", "tools", choice(sheets, draw), made("nav", "row", ...links),
        made("div", "row", pressed("Print", "print", () => print()), pressed("Lock", "lock", () => location.reload()))),
      lists);
    draw("");
    find("door").hidden = true;
    find("sheets").hidden = false;
    title.focus();
  };

  // It stands there for whom no script runs, noscript or not: a preview may forbid it without a word.
  find("preview").hidden = true;
  find("age").textContent = age();
  find("show").addEventListener("change", (event) => { field.type = event.target.checked ? "text" : "password"; });
  find("open").addEventListener("submit", async (event) => {
    event.preventDefault();
    press.disabled = true;
    press.textContent = "Opening…";
    said.textContent = "";
    try {
      const sheets = await opened(field.value);
      field.value = "";
      show(sheets);
    } catch {
      said.textContent = "This passphrase does not open the sheets. Look at capitals and spaces, and try again.";
      field.focus();
      field.select();
    } finally {
      press.disabled = false;
      press.textContent = "Open";
    }
  });

  const begin = async () => {
    if (!window.crypto || !crypto.subtle) {
      said.textContent = "This browser cannot open the sheets here. Copy the file to a computer and open it from there in Chrome, Edge, Firefox or Safari.";
    } else if (base64(await crypto.subtle.digest("SHA-256", bytes(sealed.textContent))) !== sealed.dataset.digest) {
      said.textContent = "This file is damaged, and no passphrase opens it. Use another copy.";
    } else {
      find("open").hidden = false;
      field.focus();
    }
  };
  begin().catch(() => { said.textContent = "This file is damaged, and no passphrase opens it. Use another copy."; });
})();
