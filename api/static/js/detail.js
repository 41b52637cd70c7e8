// One space: why, from what, since when; its readings as charts.

import { reasonNodes } from "./alarms.js";
import { badge } from "./badge.js";
import { levelChart } from "./chart.js";
import { both, byId, element, en, zh } from "./dom.js";
import { centimetres, clockText, instantOf, numberText, rateText } from "./format.js";
import { present, state } from "./state.js";
import { BARRIERS, CONTRIBUTIONS, FOUR, KINDS, ORDER_STATES, pair, PROOFS } from "./text.js";

const SPAN_MS = 3 * 3600_000;
const REFRESH_MS = 5_000;
const MOST_CHARTS = 4;

let open = null; // {spaceId, close, shown, loadedAt, loading}

export function openDetail(spaceId, close) {
  open = { spaceId, close, shown: null, loadedAt: -Infinity, loading: false };
  const pane = byId("detail");
  pane.hidden = false;
  pane.replaceChildren(element("p", "empty", both({ zh: "正在读取…", en: "loading" })));
  refreshDetail();
}

export function closeDetail() {
  open = null;
  const pane = byId("detail");
  pane.hidden = true;
  pane.replaceChildren();
}

// Called at every change: loads again when this space changed, and at most every few seconds.
export function refreshDetail() {
  if (!open || open.loading || present() === null) return;
  const due = performance.now() - open.loadedAt > REFRESH_MS;
  const version = `${state.tickSeq}|${state.observed.get(open.spaceId) ?? 0}`;
  if (!due || version === open.shown) return;
  const mine = open;
  load(mine, version).catch((error) => {
    if (open === mine) fail(String(error.message), mine);
  });
}

async function load(mine, version) {
  mine.loading = true;
  try {
    const space = await get(`/api/v1/spaces/${encodeURIComponent(mine.spaceId)}`);
    const subject = encodeURIComponent(`space/${mine.spaceId}`);
    const [charts, asked] = await Promise.all([readings(space), get(`/api/v1/orders?subject=${subject}&limit=10`)]);
    if (open !== mine) return;
    draw(space, charts, asked.items);
    mine.shown = version;
    mine.drawnAt = present();
  } finally {
    mine.loading = false;
    mine.loadedAt = performance.now();
  }
}

async function get(path) {
  const response = await fetch(path);
  const body = await response.json();
  if (!response.ok) throw new Error(body.detail ?? response.statusText);
  return body;
}

async function readings(space) {
  const to = present();
  const from = to - SPAN_MS;
  const wanted = space.sensors
    .filter((sensor) => sensor.quantity === "water_depth_m" || sensor.quantity === "water_level_m")
    .sort((a, b) => (a.entrance_id ? 1 : 0) - (b.entrance_id ? 1 : 0))
    .slice(0, MOST_CHARTS);
  return Promise.all(
    wanted.map(async (sensor) => {
      const query = new URLSearchParams({
        sensor: sensor.sensor,
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        limit: "1000",
      });
      const page = await get(`/api/v1/spaces/${encodeURIComponent(space.space_id)}/observations?${query}`);
      return { sensor, from, to, items: page.items };
    }),
  );
}

// What was read before stays, since it may be all there is, under a line that says until when it was so.
function fail(detail, mine) {
  const pane = byId("detail");
  const body = pane.querySelector(".detail-body");
  if (body === null) {
    pane.replaceChildren(head(null), element("p", "empty", both({ zh: "读取失败", en: "could not load" }), ` ${detail}`));
    return;
  }
  const at = clockText(mine.drawnAt);
  const words = { zh: `⚠ 读取失败，以下停在 ${at}，不是当前的`, en: `could not load: what follows is of ${at}, not current` };
  pane.querySelector(".not-current")?.remove();
  body.before(element("p", "not-current", both(words), ` ${detail}`));
}

function draw(space, charts, asked) {
  const pane = byId("detail");
  const scrolled = pane.querySelector(".detail-body")?.scrollTop ?? 0;
  const unfolded = pane.querySelector("details")?.open ?? false;
  const focusedClose = document.activeElement?.classList.contains("close");
  const body = element(
    "div",
    "scroll detail-body",
    why(space),
    corrected(space),
    orders(asked),
    reported(space),
    wayOut(space),
    floatSwitches(space),
    outOfService(space),
    standIns(space),
    ...charts.map((chart) => chartBlock(space, chart)),
    entrances(space),
    contributions(space),
    supplies(space),
    rawEvidence(space, unfolded),
  );
  pane.replaceChildren(head(space), body);
  body.scrollTop = scrolled;
  if (focusedClose) pane.querySelector(".close").focus();
}

function head(space) {
  const close = element("button", "close", "✕");
  close.type = "button";
  close.setAttribute("aria-label", "关闭 close");
  close.addEventListener("click", () => open?.close());
  if (!space) return element("div", "pane-head", element("h2", ""), close);
  const kind = pair(KINDS, space.kind);
  return element(
    "div",
    "pane-head detail-head",
    badge(space.assessment?.level ?? 0, "badge", unheard(space)),
    element("div", "titles", element("h2", "", zh(space.name_zh), en(space.name_en)), element("p", "where", both(kind), ` · ${space.street} · ${space.space_id}`)),
    close,
  );
}

function why(space) {
  if (!space.assessment) return block({ zh: "原因", en: "why" }, element("p", "empty", both({ zh: "尚未评估", en: "not assessed yet" })));
  const at = clockText(instantOf(space.assessment.tick_at));
  const reasons = space.assessment.reasons;
  const nodes = reasons.length ? reasonNodes(reasons) : [element("p", "empty", both({ zh: "没有规则触发", en: "no rule fired" }))];
  return block({ zh: `原因（${at} 评估）`, en: `why, as assessed at ${at}` }, ...nodes);
}

// Readings that people corrected since: the level is the engine's and still counts them.
function corrected(space) {
  if (!space.corrected.length) return null;
  const lines = space.corrected.map((one) => {
    const at = clockText(instantOf(one.observed_at));
    return element("li", "", zh(`${at}：${one.text_zh}`), en(`${at}: ${one.text_en}`));
  });
  return block({ zh: "已更正的读数（等级仍计入）", en: "corrected readings, which the level still counts" }, element("ul", "stand-ins", ...lines));
}

function unheard(space) {
  const seen = space.assessment;
  return seen === null || (seen.level === 0 && seen.evidence.heard === false);
}

// Whether people can get out: stairs, doors, and when the inside is red, with the age of what it rests on.
function wayOut(space) {
  const found = space.assessment?.evidence?.people ?? [];
  if (!found.length) return null;
  const lines = found.map((one) => {
    const at = clockText(instantOf(one.observed_at));
    const old = one.fresh ? { zh: "", en: "" } : { zh: "，数据已陈旧", en: ", stale" };
    return element("li", "", zh(`${one.text_zh}，${at}${old.zh}`), en(`${one.text_en}, at ${at}${old.en}`));
  });
  return block({ zh: "人员能否撤出", en: "can people get out" }, element("ul", "stand-ins", ...lines));
}

// Float switches: lifted, hanging down, or not heard; and how high over the floor or road each trips.
function floatSwitches(space) {
  const found = space.assessment?.evidence?.floats ?? [];
  if (!found.length) return null;
  const lines = found.map((one) => {
    const said = one.lifted === null ? { zh: "未收到数据", en: "not heard yet" } : one.lifted ? { zh: "已浮起", en: "lifted" } : { zh: "未浮起", en: "hangs down" };
    const at = one.observed_at ? ` ${clockText(instantOf(one.observed_at))}` : "";
    const old = one.lifted === null || one.fresh ? { zh: "", en: "" } : { zh: "，数据已陈旧", en: ", stale" };
    const height = centimetres(one.trips_at_m);
    return element("li", "", zh(`${one.entrance ?? "室内"} ${height} cm：${said.zh}${at}${old.zh}`), en(`${one.entrance ?? "inside"}, ${height} cm: ${said.en}${at}${old.en}`));
  });
  return block({ zh: "浮球开关", en: "float switches" }, element("ul", "stand-ins", ...lines));
}

// Devices that somebody took out of service: their readings count as missing until then.
function outOfService(space) {
  if (!space.out_of_service.length) return null;
  const lines = space.out_of_service.map((one) => {
    const until = clockText(instantOf(one.until), true);
    return element("li", "", zh(`${one.device_id} 至 ${until} 自动恢复：${one.reason}`), en(`${one.device_id} until ${until}, then by itself in service: ${one.reason}`));
  });
  return block({ zh: "停用设备（读数按缺测处理）", en: "out of service: readings count as missing" }, element("ul", "stand-ins", ...lines));
}

// Who stands in while the space is blind: it may raise the level, never lower it.
function standIns(space) {
  const found = space.assessment?.evidence?.stand_ins ?? [];
  if (!found.length) return null;
  const lines = found.map((one) => {
    const what = one.kind === "water" ? { zh: `水深 ${centimetres(one.depth_m)} cm`, en: `water ${centimetres(one.depth_m)} cm` } : { zh: `10 分钟雨量 ${numberText(one.rain_10min_mm, 1)} mm`, en: `${numberText(one.rain_10min_mm, 1)} mm of rain in 10 min` };
    const at = clockText(instantOf(one.observed_at));
    return element("li", "", zh(`${one.name_zh}，${one.distance_m} m：${what.zh}，${at}`), en(`${one.name_en}, ${one.distance_m} m away: ${what.en}, ${at}`));
  });
  return block({ zh: "替代站（本处失明）", en: "stand-ins while blind here" }, element("ul", "stand-ins", ...lines));
}

// What was asked of whom, how long it has, and where the sensors contradict its confirmation.
function orders(asked) {
  if (!asked.length) return null;
  const led = asked.map((order) => FOUR_KEYS.map((key) => order[key]).join("\n"));
  const rows = asked.flatMap((order, place) => {
    const time = orderTime(order);
    const row = element(
      "tr",
      order.is_late || order.disagreement || order.expired ? "short" : "",
      element("th", "", both(pair(PROOFS, order.proof)), order.entrance ? ` ${order.entrance}` : ""),
      element("td", "", order.owner),
      element("td", "", both(pair(ORDER_STATES, order.state))),
      element("td", "", time ? both(time) : "–"),
      element("td", "", order.disagreement ? `⚠ ${order.disagreement}` : ""),
    );
    const said = led[place + 1] === led[place] ? null : ledBy(order); // once for orders that stand together
    const four = [said, reminders(order)].filter(Boolean);
    return four.length ? [row, element("tr", "four", spread(four))] : [row];
  });
  return block({ zh: "指令", en: "orders" }, element("table", "small orders", element("tbody", "", ...rows)));
}

// What people saw or confirmed here, who said so and until when it counts.
function reported(space) {
  const found = space.assessment?.evidence?.reports ?? [];
  if (!found.length) return null;
  const lines = found.map((one) => {
    const said = saidWords(one);
    const where = one.entrance ? `${one.entrance} ` : "";
    const until = clockText(instantOf(one.expires_at)).slice(0, 5);
    return element("li", "", where, zh(`${said.zh}，${one.by}，有效至 ${until}`), en(`${said.en}, ${one.by}, until ${until}`));
  });
  return block({ zh: "现场回报", en: "what people report" }, element("ul", "stand-ins", ...lines));
}

function saidWords(one) {
  if ("depth_m" in one) return { zh: `水深 ${centimetres(one.depth_m)} cm`, en: `water ${centimetres(one.depth_m)} cm` };
  if ("barrier" in one) {
    const state = pair(BARRIERS, one.barrier);
    return { zh: `挡板${state.zh}`, en: `barrier ${state.en}` };
  }
  if ("pump" in one) return one.pump === "running" ? { zh: "水泵运行", en: "pump runs" } : { zh: "水泵停", en: "pump stopped" };
  if ("closed" in one) return one.closed ? { zh: "已封闭", en: "closed to people" } : { zh: "已重开", en: "reopened" };
  return one.evacuated ? { zh: "已疏散", en: "evacuated" } : { zh: "有人在内", en: "somebody inside" };
}

const FOUR_KEYS = ["leader", "team", "plan", "single_voice"];

function spread(parts) {
  const cell = element("td", "", ...parts);
  cell.colSpan = 5;
  return cell;
}

// 四个一: who leads, with which team, by which plan, who speaks.
function ledBy(order) {
  const named = FOUR_KEYS.filter((key) => order[key]);
  return named.length ? element("span", "", ...named.flatMap((key) => [element("span", "label", both(pair(FOUR, key))), ` ${order[key]} `])) : null;
}

// How often the roster was told that the order is late.
function reminders(order) {
  return order.reminders ? element("strong", "", both({ zh: `已催办 ${order.reminders} 次`, en: `${order.reminders} reminders` })) : null;
}

function orderTime(order) {
  if (order.left_s !== null) {
    const minutes = Math.round(Math.abs(order.left_s) / 60);
    return order.is_late ? { zh: `超时 ${minutes} 分`, en: `LATE ${minutes} min` } : { zh: `剩 ${minutes} 分`, en: `${minutes} min left` };
  }
  if (order.holds === null) return null;
  const until = clockText(instantOf(order.confirmed_until)).slice(0, 5);
  if (order.holds) return { zh: `有效至 ${until}`, en: `until ${until}` };
  if (!order.expired) return { zh: `曾有效至 ${until}`, en: `held until ${until}` };
  return { zh: `⚠ 有效至 ${until}，已过期，请重新确认`, en: `until ${until}, EXPIRED: confirm again` };
}

function chartBlock(space, chart) {
  const sensor = chart.sensor;
  const entrance = space.entrances.find((found) => found.entrance_id === sensor.entrance_id);
  const zero = sensor.quantity === "water_level_m" ? (entrance?.roadway_level_m ?? space.floor_level_m) : 0;
  const points = chart.items.filter((item) => item.value !== null && item.quality < 4).map((item) => [instantOf(item.observed_at), item.value - zero]).reverse();
  const words = entrance
    ? { zh: `室外水深 ${entrance.name_zh} cm`, en: `outside depth, ${entrance.name_en}` }
    : { zh: "室内水深 cm", en: "inside depth" };
  const svg = levelChart(points, entrance ? outsideLines(space, entrance) : insideLines(space), chart.from, chart.to, `${words.zh} ${words.en}`);
  const note = points.length ? null : element("p", "empty", both({ zh: "3 小时内没有数据", en: "no data in 3 hours" }));
  return block(words, svg, note, element("p", "sensor", sensor.sensor));
}

function insideLines(space) {
  return space.thresholds
    .filter((row) => row.rule === "inside-depth" || row.rule === "inside-depth-rising")
    .map((row) => ({ value: row.value, severity: row.severity, label: `${centimetres(row.value)} cm${row.rule.endsWith("rising") ? " ↑" : ""}` }));
}

function outsideLines(space, entrance) {
  const crest = entrance.crest_level_m - entrance.roadway_level_m;
  const lines = space.kind === "underpass" ? insideLines(space) : [{ value: crest, severity: 0, label: "坎顶 crest" }];
  for (const row of space.thresholds) {
    if (row.rule === "freeboard") lines.push({ value: crest - row.value, severity: row.severity, label: `−${centimetres(row.value)} cm` });
    if (row.rule === "outside-head" && row.value > 0) lines.push({ value: crest + row.value, severity: row.severity, label: `+${centimetres(row.value)} cm` });
  }
  return lines.filter((line) => line.value > 0);
}

function entrances(space) {
  if (!space.entrances.length) return null;
  const evidence = evidenceByEntrance(space.assessment?.evidence);
  const rows = space.entrances.map((entrance) => {
    const seen = evidence.get(entrance.entrance_id) ?? {};
    const known = seen.barrier && seen.barrier !== "none" ? pair(BARRIERS, seen.barrier) : null;
    const barrier = entrance.barrier_height_m === null ? noBarrier(entrance) : (known ?? { zh: "不明", en: "unknown" });
    return element(
      "tr",
      "",
      element("th", "", zh(entrance.name_zh), en(entrance.name_en)),
      element("td", "num", centimetres(entrance.crest_level_m - entrance.roadway_level_m)),
      element("td", "num", centimetres(seen.depth_m)),
      element("td", "num", centimetres(seen.freeboard_m)),
      element("td", "num", rateText(seen.rise_m_min)),
      element("td", "", both(barrier)),
    );
  });
  const titles = [
    { zh: "出入口", en: "entrance" },
    { zh: "坎高 cm", en: "crest" },
    { zh: "水深 cm", en: "depth" },
    { zh: "距坎 cm", en: "freeboard" },
    { zh: "涨速", en: "cm/min" },
    { zh: "挡板", en: "barrier" },
  ];
  const header = element("tr", "", ...titles.map((words, i) => element("th", i > 0 && i < 5 ? "num" : "", both(words))));
  return block({ zh: "出入口", en: "entrances" }, element("table", "small", element("thead", "", header), element("tbody", "", ...rows)));
}

function noBarrier(entrance) {
  return entrance.barrier_needed ? { zh: "应装未装", en: "none, needed" } : { zh: "无需", en: "none" };
}

function evidenceByEntrance(evidence) {
  return new Map((evidence?.entrances ?? []).map((seen) => [seen.entrance, seen]));
}

function contributions(space) {
  const factors = (space.assessment?.contributions?.factors ?? []).filter((factor) => factor.points > 0);
  if (!factors.length) return null;
  const rows = factors
    .sort((a, b) => b.points - a.points)
    .map((factor) => {
      const bar = element("span", "bar");
      bar.style.width = `${Math.min(100, factor.points)}%`;
      const label = element("span", "label", both(pair(CONTRIBUTIONS, factor.factor)));
      return element("li", "", label, element("span", "track", bar), element("span", "num", factor.points.toFixed(1)));
    });
  const score = space.assessment.score.toFixed(0);
  return block({ zh: `优先分 ${score} 的构成`, en: `what makes the score of ${score}` }, element("ul", "contributions", ...rows));
}

function supplies(space) {
  if (!space.stock.length && !space.requirements.length) return null;
  const need = new Map();
  for (const row of space.requirements) need.set(row.item, (need.get(row.item) ?? 0) + row.quantity);
  const have = new Map(space.stock.map((row) => [row.item, row.quantity]));
  const items = [...new Set([...need.keys(), ...have.keys()])].sort();
  const rows = items.map((item) => {
    const short = Math.max(0, (need.get(item) ?? 0) - (have.get(item) ?? 0));
    return element("tr", short ? "short" : "", element("th", "", item), element("td", "num", numberText(have.get(item) ?? 0)), element("td", "num", need.has(item) ? numberText(need.get(item)) : "–"), element("td", "num", short ? `⚠ ${numberText(short)}` : "–"));
  });
  const titles = [{ zh: "物资", en: "item" }, { zh: "现有", en: "on site" }, { zh: "需要", en: "needed" }, { zh: "缺", en: "short" }];
  const header = element("tr", "", ...titles.map((words, i) => element("th", i ? "num" : "", both(words))));
  return block({ zh: "现场物资", en: "supplies on site" }, element("table", "small", element("thead", "", header), element("tbody", "", ...rows)));
}

function rawEvidence(space, unfolded) {
  if (!space.assessment) return null;
  const made = element("details", "raw", element("summary", "", both({ zh: "全部证据", en: "all evidence" })), element("pre", "", JSON.stringify(space.assessment.evidence, null, 1)));
  made.open = unfolded;
  return made;
}

function block(words, ...children) {
  return element("section", "block", element("h3", "", both(words)), ...children);
}
