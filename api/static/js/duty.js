// What waits for somebody on duty: alarms that were taken and nothing was ordered for, orders that are late, expired,
// contradicted or refused, and reports that are missing.

import { both, byId, element } from "./dom.js";
import { clockText, instantOf } from "./format.js";
import { state } from "./state.js";
import { ORDER_STATES, pair, PROOFS, REPORTS } from "./text.js";

const EVERY_MS = 10_000;
const MOST_LINES = 6;
const PAGE_LINES = 500;
const FIRST = 0; // what has to be done on the spot, before what has to be written
const PAPER = 1;

let unfolded = false;

export function followDuty(select) {
  const look = async () => {
    const [orders, reports, incidents] = await Promise.all([
      allPages(`/api/v1/orders?open=true&limit=${PAGE_LINES}`),
      get("/api/v1/reports/due"),
      get("/api/v1/incidents?open=true"),
    ]);
    const pressed = incidents.items.flatMap((incident) => incident.pressed);
    const bare = pressed.filter(isBare);
    const told = new Map(pressed.filter((one) => !isBare(one)).flatMap((one) => one.left.map((id) => [id, one.times])));
    const orderLines = orders.map((order) => orderLine(order, timesTold(order, told)));
    const lines = [...bare.flatMap(bareLines), ...orderLines, ...reports.items.map(reportLine)].filter(Boolean);
    lines.sort((a, b) => a.rank - b.rank || b.late - a.late);
    const going = orders.filter((order) => order.left_s !== null).length;
    draw(lines, going, reports.tally.to_come, select);
  };
  const keepLooking = () =>
    look()
      .catch((error) => drawFailure(String(error.message)))
      .finally(() => setTimeout(keepLooking, EVERY_MS));
  keepLooking();
}

async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

async function allPages(path) {
  const items = [];
  for (let cursor = null; ; ) {
    const page = await get(cursor ? `${path}&cursor=${encodeURIComponent(cursor)}` : path);
    items.push(...page.items);
    cursor = page.next_cursor;
    if (!cursor) return items;
  }
}

const isBare = (pressed) => pressed.reason === "no_order";

function bareLines(pressed) {
  return pressed.left.map((subject) => {
    const spaceId = subject.replace(/^space\//, "");
    const space = state.spaces.get(spaceId);
    return {
      zh: `${space?.name_zh ?? subject}：已接警，未下达指令，已催办 ${pressed.times} 次`,
      en: `${space?.name_en ?? subject}: taken, NO ORDER given, told ${pressed.times} times`,
      rank: FIRST,
      late: 1e7,
      spaceId,
    };
  });
}

// How often the roster was told of an order: that it is late, or that it is not carried out.
const timesTold = (order, told) => (order.is_late ? order.reminders : (told.get(order.order_id) ?? 0));

function orderLine(order, times) {
  const why = orderTrouble(order);
  if (!why) return null;
  const asked = pair(PROOFS, order.proof);
  const where = { zh: order.name_zh ?? order.subject, en: order.name_en ?? order.subject };
  const words = {
    zh: `${where.zh} ${asked.zh}，${order.owner}：${why.zh}${times ? `，已催办 ${times} 次` : ""}`,
    en: `${where.en}: ${asked.en}, ${order.owner}: ${why.en}${times ? `, told ${times} times` : ""}`,
  };
  return { ...words, rank: FIRST, late: why.late, spaceId: order.subject.replace(/^space\//, "") };
}

function orderTrouble(order) {
  if (order.is_late) {
    const minutes = Math.round(-order.left_s / 60);
    return { zh: `指令超时 ${minutes} 分`, en: `order LATE ${minutes} min`, late: -order.left_s };
  }
  if (order.disagreement) return { ...contradiction(order), late: 1e9 };
  if (order.expired) {
    const until = clockText(instantOf(order.confirmed_until)).slice(0, 5);
    return { zh: `确认有效至 ${until}，已过期，请重新确认`, en: `confirmed until ${until}, now expired: confirm again`, late: 0 };
  }
  if (order.state !== "refused") return null;
  const state = pair(ORDER_STATES, order.state);
  return { zh: `${state.zh}：${order.note}`, en: `${state.en}: ${order.note}`, late: 1e8 };
}

// The service says it in one text, Chinese and then English; where that cannot be told apart, all of it in both.
function contradiction(order) {
  const said = order.disagreement.split("; ").map((one) => one.split(" confirmed as "));
  if (said.some((parts) => parts.length !== 2)) return { zh: order.disagreement, en: `CONTRADICTED: ${order.disagreement}` };
  const [zh, en] = [0, 1].map((part) => said.map((parts) => parts[part]));
  return { zh: zh.join("；"), en: `CONTRADICTED: confirmed as ${en.join("; ")}` };
}

function reportLine(report) {
  if (!report.is_missing) return null;
  const minutes = Math.round(-report.left_s / 60);
  const kind = pair(REPORTS, report.kind);
  const drafted = report.drafted_at ? { zh: "，已起草", en: ", drafted" } : { zh: "", en: "" };
  return {
    zh: `${report.name_zh} ${kind.zh}（${report.serial}）：漏报 ${minutes} 分${drafted.zh}`,
    en: `${report.name_en}: ${kind.en} (${report.serial}) MISSING for ${minutes} min${drafted.en}`,
    rank: PAPER,
    late: -report.left_s,
    spaceId: null,
  };
}

function draw(lines, going, toCome, select) {
  const list = byId("duty");
  const focused = [...list.querySelectorAll("button")].indexOf(document.activeElement);
  const shown = lines.slice(0, unfolded ? lines.length : MOST_LINES).map((line) => item(line, select));
  if (lines.length > MOST_LINES) shown.push(more(lines.length - MOST_LINES, () => draw(lines, going, toCome, select)));
  if (going || toCome) {
    const words = { zh: `在办指令 ${going}，待报 ${toCome}`, en: `orders under way: ${going}, reports to come: ${toCome}` };
    shown.push(element("li", "muted", both(words)));
  }
  list.replaceChildren(...shown);
  list.hidden = shown.length === 0;
  if (focused >= 0) [...list.querySelectorAll("button")].at(Math.min(focused, MOST_LINES))?.focus({ preventScroll: true });
}

function more(left, again) {
  const opens = element("button", "unfold", both(unfolded ? { zh: "▴ 收起", en: "show fewer" } : { zh: `▾ 另有 ${left} 项，全部显示`, en: `${left} more, show all` }));
  opens.type = "button";
  opens.setAttribute("aria-expanded", String(unfolded));
  opens.addEventListener("click", () => {
    unfolded = !unfolded;
    again();
  });
  return element("li", "muted", opens);
}

function item(line, select) {
  if (!line.spaceId) return element("li", "", "⚠ ", both(line));
  const opens = element("button", "", "⚠ ", both(line));
  opens.type = "button";
  opens.addEventListener("click", () => select(line.spaceId));
  return element("li", "", opens);
}

function drawFailure(message) {
  const list = byId("duty");
  list.hidden = false;
  list.replaceChildren(element("li", "", both({ zh: `⚠ 指令和报告读取失败：${message}`, en: "orders and reports cannot be read" })));
}
