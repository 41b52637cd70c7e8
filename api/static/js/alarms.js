// Open alarms, worst first, each with the sentence that explains it and what the sentence rests on.

import { badge } from "./badge.js";
import { arrange, both, byId, element, en, setBoth, setText, zh } from "./dom.js";
import { ageText, clockText, instantOf, numberText } from "./format.js";
import { ageOf, alarmKey, rankedAlarms, state } from "./state.js";
import { LEVELS, pair, RULES, SYSTEM } from "./text.js";

const NEW_MS = 60_000;
const cards = new Map();

export function renderAlarms(select) {
  const ranked = rankedAlarms();
  arrange(byId("alarms"), ranked.map((alarm) => updated(alarm, select)));
  setText(byId("alarms-count"), String(ranked.length));
  const empty = byId("alarms-empty");
  empty.hidden = ranked.length > 0;
  if (!empty.hidden) setBoth(empty, { zh: "没有未结束的告警", en: "no open alarm" });
}

export function pointAt(louder) {
  const until = performance.now() + NEW_MS;
  for (const alarm of louder) state.newAlarms.set(alarmKey(alarm), until);
  if (louder.length === 0) return;
  const worst = louder.reduce((a, b) => (b.severity > a.severity ? b : a));
  const level = LEVELS[worst.severity];
  const names = namesOf(worst);
  setText(
    byId("announce"),
    `${level.zh}色告警 ${names.zh}：${worst.reasons[0]?.text_zh ?? ""} ${level.en} alarm, ${names.en}`,
  );
}

export function namesOf(alarm) {
  const rest = alarm.subject.split("/").slice(1).join("/");
  if (alarm.subject_kind === "system") return { zh: `${SYSTEM.zh} ${rest}`, en: `${SYSTEM.en} ${rest}` };
  const zhName = alarm.name_zh ?? rest;
  const enName = alarm.name_en ?? rest;
  return alarm.subject_kind === "device" ? { zh: `${zhName} ${rest}`, en: `${enName} ${rest}` } : { zh: zhName, en: enName };
}

function updated(alarm, select) {
  const key = alarmKey(alarm);
  let card = cards.get(key);
  const space = spaceOf(alarm);
  const version = `${alarm.last_tick_seq}|${alarm.severity}|${alarm.acknowledged_at}|${space?.tick_seq ?? ""}`;
  if (!card || card.version !== version) {
    const fresh = { ...make(alarm, space, select), version };
    card?.node.replaceWith(fresh.node);
    card = fresh;
    cards.set(key, card);
  }
  const age = ageText(ageOf(instantOf(alarm.raised_at)));
  const isStale = (ageOf(instantOf(alarm.raised_at)) ?? 0) * 1000 >= instantOf(alarm.stale_from) - instantOf(alarm.raised_at);
  setBoth(card.since, isStale ? { zh: `已 ${age.zh}，长期未消`, en: `for ${age.en}, STALE` } : { zh: `已 ${age.zh}`, en: `for ${age.en}` });
  card.since.classList.toggle("bad", isStale);
  fillNow(card.level, space, alarm);
  const until = state.newAlarms.get(key) ?? 0;
  card.node.classList.toggle("new", performance.now() < until);
  return card.node;
}

function make(alarm, space, select) {
  const names = namesOf(alarm);
  const title = element("button", "name", zh(names.zh), en(names.en));
  title.type = "button";
  const since = element("span", "since");
  const raised = element("time", "raised", clockText(instantOf(alarm.raised_at)));
  raised.dateTime = alarm.raised_at;
  const fresh = element("span", "new-mark", zh("新"), en("NEW"));
  const level = element("span", "level-now");
  const head = element("div", "card-head", badge(alarm.severity), title, fresh, level, element("span", "when", raised, since));
  const node = element("li", "card", head, takenNode(alarm), ...quietNodes(alarm), ...whyNodes(alarm, space));
  node.dataset.level = String(alarm.severity);
  node.dataset.subject = alarm.subject;
  if (alarm.place_id && alarm.subject_kind === "space") {
    node.classList.add("opens");
    node.addEventListener("click", () => select(alarm.place_id));
  }
  return { node, since, level };
}

// Who said "mine"; until somebody does, the roster is told again and again.
function takenNode(alarm) {
  if (!alarm.acknowledged) return element("p", "taken open", both({ zh: "无人接警", en: "nobody has taken it" }));
  const at = alarm.acknowledged_at ? clockText(instantOf(alarm.acknowledged_at)) : "";
  const by = alarm.acknowledged_by ?? "?";
  return element("p", "taken", both({ zh: `已接警：${by} ${at}`, en: `taken by ${by}, ${at}` }));
}

// Why nobody is told of an alarm that is watched all the same.
function quietNodes(alarm) {
  const lines = [];
  if (alarm.suppressed_by) {
    lines.push({ zh: `由 ${alarm.suppressed_by} 引起，不另行通知`, en: `follows from ${alarm.suppressed_by}: not told by itself` });
  }
  if (alarm.shelved_until) {
    const until = clockText(instantOf(alarm.shelved_until));
    lines.push({ zh: `已搁置至 ${until}，不通知`, en: `shelved until ${until}: not told` });
  }
  return lines.map((words) => element("p", "quiet", both(words)));
}

function spaceOf(alarm) {
  return alarm.subject_kind === "space" ? state.spaces.get(alarm.place_id) : undefined;
}

// The numbers of now while the space is as bad as its alarm. Once the water has gone down: what gave it its severity, when,
// and that it is held; then what holds now.
function whyNodes(alarm, space) {
  if (space === undefined) return reasonNodes(alarm.reasons, 3);
  if (space.level >= alarm.severity) return reasonNodes(space.reasons, 3);
  const gave = alarm.severity_reasons.filter((reason) => reason.severity >= alarm.severity);
  const since = element("p", "held", both(heldWords(alarm)));
  const now = space.reasons.length ? { zh: "现在", en: "now" } : { zh: "现在没有规则触发", en: "no rule fires now" };
  return [
    since,
    ...reasonNodes(gave.length ? gave : alarm.severity_reasons, 2),
    element("p", "held-now", both(now)),
    ...reasonNodes(space.reasons, 2),
  ];
}

function heldWords(alarm) {
  const level = LEVELS[alarm.severity];
  const since = alarm.severity_since ? clockText(instantOf(alarm.severity_since)) : "?";
  return {
    zh: `${level.shape} ${level.zh}色保持：${since} 因下列原因达到，可信读数持续低于${level.zh}色一段时间后才降级`,
    en: `${level.shape} held ${level.en}: reached at ${since} for the reason below; it goes down once good readings have stayed below ${level.en}`,
  };
}

// An alarm outlasts its cause by the off-delay: say where the space stands by now.
function fillNow(node, space, alarm) {
  const differs = space !== undefined && space.level !== alarm.severity;
  node.hidden = !differs;
  if (!differs) return;
  const words = LEVELS[space.level];
  node.dataset.level = String(space.level);
  setBoth(node, { zh: `现 ${words.shape} ${words.zh}`, en: `now ${words.shape} ${words.en}` });
}

export function reasonNodes(reasons, most = 99) {
  const shown = [...reasons].sort((a, b) => b.severity - a.severity).slice(0, most);
  const nodes = shown.map((reason) => reasonNode(reason));
  if (reasons.length > shown.length) {
    const more = reasons.length - shown.length;
    nodes.push(element("p", "more", both({ zh: `另有 ${more} 条原因`, en: `${more} more` })));
  }
  return nodes;
}

function reasonNode(reason) {
  const level = LEVELS[reason.severity] ?? LEVELS[0];
  const shape = element("span", "shape", level.shape);
  shape.dataset.level = String(reason.severity);
  shape.setAttribute("aria-hidden", "true");
  const rule = pair(RULES, reason.rule);
  const text = element("p", "why", shape, zh(reason.text_zh || rule.zh), en(reason.text_en || rule.en));
  return element("div", "reason", text, basis(reason));
}

function basis(reason) {
  const unit = reason.unit ? ` ${reason.unit}` : "";
  const facts = element("dl", "basis");
  const add = (words, value) => facts.append(element("div", "", element("dt", "", both(words)), element("dd", "", value)));
  if (reason.value !== null) add({ zh: "值", en: "value" }, numberText(reason.value) + unit);
  if (reason.threshold !== null) add({ zh: "阈值", en: "threshold" }, numberText(reason.threshold) + unit);
  if (reason.sensor) add({ zh: "传感器", en: "sensor" }, reason.sensor);
  if (reason.observed_at) add({ zh: "时间", en: "at" }, clockText(instantOf(reason.observed_at)));
  if (reason.source) add({ zh: "依据", en: "source" }, reason.source);
  if (reason.doubt) add({ zh: "存疑", en: "doubt" }, String(reason.doubt));
  return facts;
}
