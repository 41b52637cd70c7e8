// Ties the page together: events change the state, the state is drawn at most four times a second.

import { pointAt, renderAlarms } from "./alarms.js";
import { badge } from "./badge.js";
import { closeDetail, openDetail, refreshDetail } from "./detail.js";
import { byId } from "./dom.js";
import { followDuty } from "./duty.js";
import { setTimeZone } from "./format.js";
import {
  renderClock,
  renderCounts,
  renderMode,
  renderOutage,
  renderRain,
  renderSite,
  renderTitle,
} from "./header.js";
import { followHealth } from "./health.js";
import { setUpKeys } from "./keys.js";
import { setUpLanguage } from "./language.js";
import { renderList, setFilter } from "./list.js";
import { state, takeSnapshot, takeTick, takeTimes } from "./state.js";
import { Stream } from "./stream.js";

const DRAW_MS = 250;
let dirty = true;
let drawing = false;
let followsDuty = false;

function draw() {
  drawing = false;
  renderTitle(stream.link);
  renderClock(stream.link);
  renderOutage(stream.link);
  renderList(select);
  renderAlarms(select);
  if (!dirty) return;
  dirty = false;
  renderMode();
  renderSite();
  renderCounts();
  renderRain();
  refreshDetail();
}

function changed() {
  dirty = true;
  if (drawing) return;
  drawing = true;
  setTimeout(() => requestAnimationFrame(draw), DRAW_MS / 5);
}

async function loadSite() {
  const response = await fetch("/api/v1/site");
  if (!response.ok) return;
  state.site = await response.json();
  setTimeZone(state.site.timezone);
  changed();
}

// Below one another, on a narrow screen, the open space comes first: go there, and back to where it was opened.
const narrow = matchMedia("(max-width: 1000px)");
let cameFrom = null;

function goToDetail() {
  if (!narrow.matches) return;
  if (state.selected === null) {
    if (cameFrom !== null) scrollTo({ top: cameFrom });
    cameFrom = null;
    return;
  }
  cameFrom ??= scrollY;
  const strip = Math.max(byId("exercise").offsetHeight, byId("outage").offsetHeight); // it stays on top
  byId("detail").style.scrollMarginTop = `${strip + 4}px`;
  byId("detail").scrollIntoView();
}

function select(spaceId) {
  if (spaceId === null || state.selected === spaceId) {
    state.selected = null;
    closeDetail();
    history.replaceState(null, "", location.pathname);
  } else {
    state.selected = spaceId;
    openDetail(spaceId, () => select(null));
    history.replaceState(null, "", `#${spaceId}`);
  }
  byId("main").classList.toggle("with-detail", state.selected !== null);
  goToDetail();
  changed();
}

const stream = new Stream({
  snapshot(event) {
    const another = state.deploymentId !== event.deployment_id;
    pointAt(takeSnapshot(event));
    if (!followsDuty) followDuty((spaceId) => state.selected !== spaceId && select(spaceId)); // it names places
    followsDuty = true;
    if (another) loadSite().catch(() => setTimeout(changed, DRAW_MS));
    changed();
  },
  tick(event) {
    pointAt(takeTick(event));
    changed();
  },
  pulse(event) {
    takeTimes(event);
    changed();
  },
  link: changed,
});

for (let level = 4; level >= 0; level -= 1) byId("legend").append(badge(level, "badge plain"));
setUpLanguage(changed);
setUpKeys(select);
byId("filter").addEventListener("input", (event) => {
  setFilter(event.target.value);
  changed();
});
stream.start();
followHealth(changed);
setInterval(() => {
  renderTitle(stream.link); // a hidden tab draws no frames, and its title is all that is seen of it
  requestAnimationFrame(draw);
}, 1_000);
if (location.hash.length > 1) select(decodeURIComponent(location.hash.slice(1)));
