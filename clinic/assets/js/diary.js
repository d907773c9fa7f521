// The diary works without this: it makes the day keep itself up to date, and the arrow keys go from visit to visit.
import { keepUpToDate } from "./diary-live.js";
import { enableKeys } from "./diary-keys.js";
import { enableDragging } from "./diary-drag.js";
import { beginAtPlace } from "./diary-places.js";
import { pointAtTimes } from "./diary-free.js";
import { bookWhereOneLooks } from "./booking.js";
import { followChoices, keepPlace, markColumn } from "./diary-view.js";

const region = document.querySelector("[data-diary]");
if (region) {
  enableKeys(region);
  pointAtTimes(region);
  markColumn(region);
  keepPlace(region);
  followChoices();
  beginAtPlace(region);
  enableDragging(region);
  keepUpToDate(region, () => {
    enableKeys.again(region);
    markColumn(region);
  });
}
bookWhereOneLooks();
