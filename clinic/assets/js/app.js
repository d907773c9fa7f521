// Everything works without these scripts; each makes one thing quicker.
import { guardAgainstSendingTwice } from "./submit.js";
import { closeWhatIsOpen } from "./open.js";
import { enableShortcuts } from "./shortcuts.js";
import { followTyping, quickSearch } from "./search.js";
import { showWhileTyping } from "./preview.js";
import { offerPlaceholders } from "./placeholders.js";
import { showAlike } from "./alike.js";
import { keepFresh } from "./refresh.js";
import { enableArrowsBetweenTimes, pressByDrawing } from "./chips.js";
import { turnMyDay } from "./my-day.js";
import { enablePrinting, focusFirstError, guessZone } from "./page.js";

guardAgainstSendingTwice();
closeWhatIsOpen();
enableShortcuts();
document.querySelectorAll("form[data-live-search]").forEach(followTyping);
document.querySelectorAll("form[data-quick-search]").forEach(quickSearch);
document.querySelectorAll("form[data-live-preview]").forEach(showWhileTyping);
offerPlaceholders();
document.querySelectorAll("[data-alike]").forEach(showAlike);
document.querySelectorAll("[data-refresh]").forEach(keepFresh);
enableArrowsBetweenTimes();
pressByDrawing();
document.querySelectorAll("[data-my-day]").forEach(turnMyDay);
enablePrinting();
focusFirstError();
guessZone();
