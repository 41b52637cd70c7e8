// A small level chart in SVG: readings over time, thresholds as labelled lines.

import { centimetres, shortTime } from "./format.js";
import { LEVELS } from "./text.js";

const NS = "http://www.w3.org/2000/svg";
const W = 520;
const H = 168;
const LEFT = 40;
const RIGHT = 92;
const TOP = 10;
const BOTTOM = 22;
const GAP_MS = 25 * 60_000; // readings further apart are not joined: nothing is known between them
const LABEL_STEP = 13;

// points: [instant, metres][], oldest first; lines: {value, severity, label}[]
export function levelChart(points, lines, from, to, title) {
  const svg = shape("svg", { viewBox: `0 0 ${W} ${H}`, class: "chart", role: "img", "aria-label": title });
  const values = points.map(([, value]) => value);
  const high = Math.max(0.1, ...values, ...lines.map((line) => line.value).filter((value) => value < 1.5)) * 1.08;
  const low = Math.min(0, ...values);
  const x = (instant) => LEFT + ((instant - from) / (to - from)) * (W - LEFT - RIGHT);
  const y = (value) => H - BOTTOM - ((value - low) / (high - low)) * (H - TOP - BOTTOM);
  axes(svg, x, y, from, to, low, high);
  thresholds(svg, y, lines.filter((line) => line.value <= high && line.value >= low));
  for (const run of runs(points)) {
    const path = run.map(([at, value], i) => `${i ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    const area = `${path}L${x(run.at(-1)[0]).toFixed(1)} ${y(low)}L${x(run[0][0]).toFixed(1)} ${y(low)}Z`;
    svg.append(shape("path", { d: area, class: "area" }), shape("path", { d: path, class: "line" }));
  }
  if (points.length) {
    const [at, value] = points.at(-1);
    svg.append(shape("circle", { cx: x(at), cy: y(value), r: 3.5, class: "dot" }));
    const label = shape("text", { x: Math.min(x(at) - 6, W - RIGHT - 6), y: y(value) - 7, class: "now" });
    label.textContent = `${centimetres(value, 1)} cm`;
    svg.append(label);
  }
  return svg;
}

function axes(svg, x, y, from, to, low, high) {
  for (const value of ticks(low, high, 4)) {
    svg.append(shape("line", { x1: LEFT, x2: W - RIGHT, y1: y(value), y2: y(value), class: "grid" }));
    svg.append(text(LEFT - 6, y(value) + 3.5, centimetres(value), "end"));
  }
  const step = (to - from) / 4;
  for (let i = 0; i <= 4; i += 1) {
    const at = from + i * step;
    svg.append(text(x(at), H - 6, shortTime(at), i === 0 ? "start" : "middle"));
  }
}

// Labels that would overlap are pushed apart; each stays beside its line.
function thresholds(svg, y, lines) {
  let free = Infinity;
  for (const line of [...lines].sort((a, b) => a.value - b.value)) {
    const at = y(line.value);
    svg.append(shape("line", { x1: LEFT, x2: W - RIGHT, y1: at, y2: at, class: "threshold", "data-level": line.severity }));
    const labelAt = Math.min(at + 3.5, free - LABEL_STEP);
    free = labelAt;
    const label = text(W - RIGHT + 5, labelAt, `${line.severity ? LEVELS[line.severity].shape : "▔"} ${line.label}`, "start");
    label.setAttribute("class", "threshold-label");
    label.setAttribute("data-level", line.severity);
    svg.append(label);
  }
}

function runs(points) {
  const found = [];
  for (const point of points) {
    const run = found.at(-1);
    if (run && point[0] - run.at(-1)[0] <= GAP_MS) run.push(point);
    else found.push([point]);
  }
  return found;
}

function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(value);
  return found;
}

function text(x, y, content, anchor) {
  const made = shape("text", { x, y, "text-anchor": anchor });
  made.textContent = content;
  return made;
}

function shape(tag, attributes) {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
