// The strip on top: which district, which time, how many at each level, and whether all this is current.

import { both, byId, element, setBoth, setText, zh, en } from "./dom.js";
import { ageText, clockText, numberText } from "./format.js";
import { ageOf, isUnheard, newestData, present, state } from "./state.js";
import { LEVELS, UNHEARD } from "./text.js";

const STALE_NEWEST_S = 180;
const ENGINE_SILENT_S = 15;
const DATED_AFTER_S = 12 * 3600; // a time of day alone would be taken for today's

export function renderSite() {
  const site = state.site;
  if (!site) return;
  setText(byId("district-zh"), site.name_zh ?? "未导入辖区");
  setText(byId("district-en"), site.name_en ?? "no site imported");
}

export function renderMode() {
  document.body.dataset.mode = state.mode;
  byId("exercise").hidden = state.mode !== "exercise";
}

export function renderCounts() {
  const counts = [0, 0, 0, 0, 0];
  let unheard = 0;
  for (const space of state.spaces.values()) {
    if (isUnheard(space)) unheard += 1;
    else counts[space.level] += 1;
  }
  const list = byId("counts");
  if (!list.children.length) {
    for (let level = 4; level >= 0; level -= 1) {
      const words = LEVELS[level];
      const item = element("li", "", element("span", "shape", words.shape), element("b", "", "0"), both(words));
      item.dataset.level = String(level);
      list.append(item);
    }
  }
  let unknown = list.querySelector(".unheard");
  if (unheard && !unknown) {
    unknown = element("li", "unheard", element("span", "shape", UNHEARD.shape), element("b", "", "0"), both(UNHEARD));
    list.append(unknown);
  } else if (!unheard) unknown?.remove();
  if (unheard) setText(unknown.querySelector("b"), String(unheard));
  for (const item of list.querySelectorAll("[data-level]")) {
    const count = counts[Number(item.dataset.level)];
    setText(item.querySelector("b"), String(count));
    item.classList.toggle("none", count === 0);
  }
}

// The tab's title: how many are red and orange, and, where that is not current, until when it was.
export function renderTitle(link) {
  const worst = [4, 3].map((level) => [LEVELS[level].shape, [...state.spaces.values()].filter((space) => space.level === level).length]);
  const counts = worst.filter(([, count]) => count).map(([shape, count]) => `${shape}${count} `).join("");
  const reason = outageReason(link);
  const marked = reason === null ? counts : `⚠ ${reason.zh} ${reason.en} ${heardText(lastHeard(link))} (${counts.trim() || "–"}) `;
  const title = `${marked}Undercroft 地下空间水情`;
  if (document.title !== title) document.title = title;
}

export function renderRain() {
  const most = (key) => {
    const values = [...state.spaces.values()].map((space) => space.numbers[key]).filter((value) => value !== null);
    return values.length ? numberText(Math.max(...values), 1) : "–";
  };
  setText(byId("rain"), `${most("rain_10min_mm")} / ${most("rain_60min_mm")} mm`);
}

export function renderClock(link) {
  const now = present();
  setText(byId("clock"), now === null ? "--:--:--" : clockText(now));
  const exercise = state.mode === "exercise";
  const date = now === null ? "" : clockText(now, true).slice(0, 10);
  setBoth(byId("clock-label"), exercise ? { zh: `演练时间 ${date}`, en: `run clock ${date}` } : { zh: date, en: date });
  const wall = byId("wall");
  const wallTime = clockText(Date.now());
  setBoth(wall, exercise ? { zh: `实际时间 ${wallTime}`, en: `wall ${wallTime}` } : { zh: "", en: "" });
  const age = ageOf(newestData());
  const words = ageText(age);
  const newest = byId("newest");
  setBoth(newest, age === null ? words : { zh: `${words.zh}前`, en: `${words.en} ago` });
  newest.classList.toggle("bad", age === null || age > STALE_NEWEST_S);
  renderLink(link);
}

function renderLink(link) {
  const node = byId("link");
  const silent = state.tickSeq === null ? null : (performance.now() - state.tickWallAt) / 1000;
  const words = {
    live: outageReason(link) === null ? liveWords() : { zh: "已连接", en: "connected" }, // the engine may be silent
    connecting: { zh: "正在连接", en: "connecting" },
    stale: { zh: "数据库中断", en: "database lost" },
    lost: { zh: "连接中断", en: "lost" },
  }[link];
  const paused = link === "live" && state.mode === "exercise" && silent !== null && silent > ENGINE_SILENT_S;
  setBoth(node, paused ? { zh: "实时 · 演练时钟暂停", en: "live, run clock paused" } : words);
  node.dataset.link = link;
}

// With the time from the canary's sending to the engine's judgement, where there is a canary and it is not late.
function liveWords() {
  if (state.chainS === null || state.chainS === undefined) return { zh: "实时", en: "live" };
  const seconds = numberText(state.chainS, 1);
  return { zh: `实时 ${seconds} 秒`, en: `live, ${seconds} s` };
}

// The loudest thing on the page: what is shown is not current.
export function renderOutage(link) {
  const outage = byId("outage");
  const reason = outageReason(link);
  outage.hidden = reason === null;
  document.body.dataset.link = reason === null ? link : "lost";
  if (reason === null) return;
  const heard = lastHeard(link);
  const age = ageText(heard.ageS);
  const shown = heardText(heard);
  const key = `${reason.zh}${age.zh}${shown}`;
  if (outage.dataset.key === key) return;
  outage.dataset.key = key;
  outage.replaceChildren(
    element("strong", "", "⚠ ", zh(reason.zh), en(reason.en)),
    element(
      "span",
      "",
      zh(`以下数据停在 ${shown}，已中断 ${age.zh}，请勿据此判断安全`),
      en(`data below stopped at ${shown}, ${age.en} ago; do not rely on it`),
    ),
  );
}

// Until when what is shown was current, and how long ago that is. The instant stands still: nothing was heard since.
function lastHeard(link) {
  if (link === "lost" || link === "stale") {
    return { instant: state.currentNow, ageS: state.currentNow === null ? null : (performance.now() - state.currentAt) / 1000 };
  }
  return { instant: state.tickAt, ageS: ageOf(state.tickAt) }; // the engine is silent: levels are those of its last tick
}

const heardText = (heard) => clockText(heard.instant, heard.ageS > DATED_AFTER_S);

export function outageReason(link) {
  if (link === "lost") return { zh: "连接中断", en: "CONNECTION LOST" };
  if (link === "stale") return { zh: "数据库中断", en: "DATABASE LOST" };
  const silent = (performance.now() - state.tickWallAt) / 1000;
  if (state.mode === "live" && state.tickSeq !== null && silent > ENGINE_SILENT_S) {
    return { zh: "风险引擎无响应", en: "ENGINE SILENT" };
  }
  return null;
}
