// What the page knows, and how events change it.

import { instantOf } from "./format.js";

export const state = {
  site: null,
  deploymentId: null,
  mode: "unknown",
  spaces: new Map(),
  spacesTotal: 0,
  alarms: new Map(),
  observed: new Map(),
  newAlarms: new Map(),
  now: null,
  nowAt: 0,
  currentNow: null, // what time it was when the page last heard that what it shows is current
  currentAt: 0,
  tickAt: null,
  tickWallAt: 0,
  tickSeq: null,
  selected: null,
  chainS: null,
};

export function alarmKey(alarm) {
  return `${alarm.subject}#${alarm.occurrence}`;
}

// In an exercise the run clock is the present, and stands still between ticks. Live, the clock runs on.
export function present() {
  if (state.now === null) return null;
  if (state.mode === "exercise") return state.now;
  return state.now + (performance.now() - state.nowAt);
}

export function ageOf(instant) {
  const now = present();
  return now === null || instant === null || instant === undefined ? null : Math.max(0, (now - instant) / 1000);
}

export function takeTimes(event) {
  state.now = instantOf(event.now);
  state.nowAt = performance.now();
  if (!event.stale) [state.currentNow, state.currentAt] = [state.now, state.nowAt];
  if (event.tick_seq !== state.tickSeq) state.tickWallAt = performance.now();
  state.tickSeq = event.tick_seq;
  state.tickAt = instantOf(event.tick_at);
}

export function takeSnapshot(event) {
  takeTimes(event);
  const known = state.deploymentId === event.deployment_id ? new Set(state.alarms.keys()) : null;
  state.deploymentId = event.deployment_id;
  state.mode = event.mode;
  state.spacesTotal = event.spaces_total;
  state.spaces = new Map(event.spaces.map((space) => [space.space_id, space]));
  state.alarms = new Map(event.alarms.map((alarm) => [alarmKey(alarm), alarm]));
  state.observed = observedOf(event.observed);
  return known === null ? [] : [...state.alarms].filter(([key]) => !known.has(key)).map(([, alarm]) => alarm);
}

// Returns the alarms that were raised or grew worse, for the page to point at.
export function takeTick(event) {
  takeTimes(event);
  for (const space of event.assessments) state.spaces.set(space.space_id, space);
  for (const [id, at] of observedOf(event.observed)) {
    if (at > (state.observed.get(id) ?? 0)) state.observed.set(id, at);
  }
  const louder = [];
  for (const alarm of event.alarms) {
    const key = alarmKey(alarm);
    const before = state.alarms.get(key);
    if (!alarm.active) state.alarms.delete(key);
    else state.alarms.set(key, alarm);
    if (alarm.active && (!before || alarm.severity > before.severity)) louder.push(alarm);
  }
  return louder;
}

function observedOf(record) {
  return new Map(Object.entries(record).map(([id, at]) => [id, instantOf(at)]));
}

export function rankedSpaces() {
  return [...state.spaces.values()].sort(
    (a, b) => b.level - a.level || b.score - a.score || (a.space_id < b.space_id ? -1 : 1),
  );
}

export function rankedAlarms() {
  return [...state.alarms.values()].sort(
    (a, b) =>
      b.severity - a.severity ||
      instantOf(b.raised_at) - instantOf(a.raised_at) ||
      (a.subject < b.subject ? -1 : 1),
  );
}

// Level 0 of a space of which nothing was heard yet is no "normal".
export function isUnheard(space) {
  return space.level === 0 && (space.heard === false || space.tick_seq === null);
}

export function newestData() {
  let newest = null;
  for (const at of state.observed.values()) if (newest === null || at > newest) newest = at;
  return newest;
}

// Age of a space's newest reading, and whether that is too old to act upon.
export function freshness(space) {
  const age = ageOf(state.observed.get(space.space_id));
  const tickAt = instantOf(space.tick_at);
  const shown = tickAt === null || space.numbers.age_s === null ? null : ageOf(tickAt - space.numbers.age_s * 1000);
  const stale = age === null ? tickAt !== null : age > space.stale_after_s;
  return { age, shown, stale: stale || space.blind };
}
