// Numbers and times as people read them. Nothing here touches the page.

export const UNKNOWN = "–";

let timeZone = "Asia/Shanghai";

export function setTimeZone(name) {
  if (name) timeZone = name;
}

export function clockText(instant, withDate = false) {
  if (instant === null || Number.isNaN(instant)) return UNKNOWN;
  const options = { timeZone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  if (withDate) Object.assign(options, { year: "numeric", month: "2-digit", day: "2-digit" });
  return new Intl.DateTimeFormat("sv-SE", options).format(instant);
}

export function shortTime(instant) {
  return clockText(instant).slice(0, 5);
}

export function centimetres(metres, digits = 0) {
  return metres === null || metres === undefined ? UNKNOWN : signed((metres * 100).toFixed(digits));
}

export function rateText(metresPerMinute) {
  if (metresPerMinute === null || metresPerMinute === undefined) return UNKNOWN;
  const value = metresPerMinute * 100;
  const arrow = value >= 0.05 ? "↑ " : value <= -0.05 ? "↓ " : "";
  return arrow + Math.abs(value).toFixed(1);
}

export function numberText(value, digits = 2) {
  if (value === null || value === undefined) return UNKNOWN;
  return signed(Number.isInteger(value) ? String(value) : String(Number(value.toFixed(digits))));
}

function signed(text) {
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text.replace("-", "−");
}

// An age in both languages. `seconds` null: never.
export function ageText(seconds) {
  if (seconds === null) return { zh: "无数据", en: "no data" };
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return { zh: `${s} 秒`, en: `${s} s` };
  if (s < 5940) return { zh: `${Math.round(s / 60)} 分钟`, en: `${Math.round(s / 60)} min` };
  if (s < 172800) return { zh: `${Math.round(s / 3600)} 小时`, en: `${Math.round(s / 3600)} h` };
  return { zh: `${Math.round(s / 86400)} 天`, en: `${Math.round(s / 86400)} d` };
}

export function minutesText(minutes) {
  if (minutes === null || minutes === undefined) return null;
  return minutes < 1 ? "<1" : String(Math.round(minutes));
}

export function instantOf(text) {
  return text ? Date.parse(text) : null;
}
