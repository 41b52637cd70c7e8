// The ranking. Rows are kept by space, so that an update changes cells, not the table.

import { badge } from "./badge.js";
import { arrange, both, byId, element, en, setBoth, setText, zh } from "./dom.js";
import { ageText, centimetres, minutesText, rateText, UNKNOWN } from "./format.js";
import { freshness, isUnheard, rankedSpaces, state } from "./state.js";
import { BARRIERS, KINDS, LEVELS, pair } from "./text.js";

const rows = new Map();
let wanted = "";

export function setFilter(text) {
  wanted = text.trim().toLowerCase();
}

export function renderList(select) {
  const ranked = rankedSpaces().filter(matches);
  const body = byId("spaces");
  arrange(body, ranked.map((space) => updated(space, select)));
  const total = wanted ? `${ranked.length} / ${state.spaces.size}` : String(state.spacesTotal);
  setText(byId("list-count"), total);
  const empty = byId("list-empty");
  empty.hidden = ranked.length > 0;
  if (!empty.hidden) setBoth(empty, { zh: "没有空间可显示", en: "no space to show" });
}

function matches(space) {
  if (!wanted) return true;
  const kind = pair(KINDS, space.kind);
  const text = [space.space_id, space.name_zh, space.name_en, space.street, kind.zh, kind.en].join(" ").toLowerCase();
  return text.includes(wanted);
}

function updated(space, select) {
  let row = rows.get(space.space_id);
  if (!row) {
    row = make(space, select);
    rows.set(space.space_id, row);
  }
  fill(row, space);
  return row.node;
}

function make(space, select) {
  const kind = pair(KINDS, space.kind);
  const open = element("button", "name", zh(space.name_zh), en(space.name_en));
  open.type = "button";
  const where = element("span", "where", both(kind), " · ", space.street);
  const cells = Object.fromEntries(
    ["level", "name", "score", "free", "in", "rise", "time", "barrier", "age"].map((name) => [
      name,
      element("td", `c-${name}${["level", "name", "barrier"].includes(name) ? "" : " num"}`),
    ]),
  );
  cells.name.append(open, where);
  const bar = element("span", "bar");
  const score = element("span", "score");
  cells.score.append(score, element("span", "track", bar));
  const node = element("tr", "", ...Object.values(cells));
  node.dataset.space = space.space_id;
  node.addEventListener("click", () => select(space.space_id));
  return { node, cells, open, bar, score };
}

function fill(row, space) {
  const { cells, node } = row;
  const numbers = space.numbers;
  const fresh = freshness(space);
  const unheard = isUnheard(space);
  const shown = `${space.level}${unheard}`;
  if (cells.level.dataset.shown !== shown) cells.level.replaceChildren(badge(space.level, "badge", unheard));
  cells.level.dataset.shown = shown;
  node.dataset.level = String(space.level);
  node.classList.toggle("stale", fresh.stale);
  node.classList.toggle("selected", state.selected === space.space_id);
  row.open.setAttribute("aria-expanded", String(state.selected === space.space_id));
  setText(row.score, space.tick_seq === null ? UNKNOWN : space.score.toFixed(0));
  row.bar.style.width = `${Math.max(0, Math.min(100, space.score))}%`;
  setText(cells.free, centimetres(numbers.outside_freeboard_m));
  cells.free.classList.toggle("over", numbers.outside_freeboard_m !== null && numbers.outside_freeboard_m <= 0);
  setText(cells.in, centimetres(numbers.inside_depth_m));
  cells.in.classList.toggle("over", numbers.inside_depth_m !== null && numbers.inside_depth_m >= 0.02);
  setText(cells.rise, rateText(numbers.rise_rate_m_min));
  fillTime(cells.time, numbers);
  fillBarrier(cells.barrier, numbers.barrier_state);
  fillAge(cells.age, fresh, space);
}

function fillTime(cell, numbers) {
  const minutes = minutesText(numbers.time_to_threshold_min);
  if (minutes === null) return setText(cell, UNKNOWN);
  const level = LEVELS[numbers.time_to_level === "red" ? 4 : 3];
  return setBoth(cell, {
    zh: `${minutes} 分 → ${level.shape}${level.zh}`,
    en: `${minutes} min → ${level.shape} ${level.en}`,
  });
}

function fillBarrier(cell, barrier) {
  if (cell.dataset.barrier === String(barrier)) return;
  cell.dataset.barrier = String(barrier);
  if (barrier === null) return cell.replaceChildren(UNKNOWN);
  const words = pair(BARRIERS, barrier);
  return cell.replaceChildren(element("span", "mark", words.mark ?? "?"), both(words));
}

function fillAge(cell, fresh, space) {
  const blind = space.blind;
  const near = (space.stand_ins ?? []).length > 0 ? { zh: " ⇄ 替代", en: ", stand-in" } : { zh: "", en: "" };
  const age = ageText(fresh.age);
  if (!fresh.stale) return setBoth(cell, age);
  if (fresh.age === null) {
    const words = space.heard === false ? { zh: "⚠ 尚未收到", en: "not heard yet" } : { zh: "⚠ 无数据", en: "no data" };
    return setBoth(cell, { zh: words.zh + near.zh, en: words.en + near.en });
  }
  return setBoth(cell, { zh: `⚠ ${blind ? "失明" : "数据"} ${age.zh}前${near.zh}`, en: `${blind ? "blind, " : ""}${age.en} old${near.en}` });
}
