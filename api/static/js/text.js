// Every word the page itself says, Chinese first. What the engine says comes with the data.

export const LEVELS = [
  { zh: "正常", en: "normal", shape: "○" },
  { zh: "蓝", en: "blue", shape: "●" },
  { zh: "黄", en: "yellow", shape: "■" },
  { zh: "橙", en: "orange", shape: "▲" },
  { zh: "红", en: "red", shape: "◆" },
];

// Level 0 of a space that was never heard says nothing.
export const UNHEARD = { zh: "未知", en: "unknown", shape: "?" };

export const KINDS = {
  car_park: { zh: "地下车库", en: "car park" },
  metro_entrance: { zh: "地铁出入口", en: "metro entrance" },
  underpass: { zh: "下穿通道", en: "underpass" },
  mall: { zh: "地下商场", en: "mall" },
  civil_defence: { zh: "人防工程", en: "civil defence" },
};

export const BARRIERS = {
  open: { zh: "未关", en: "open", mark: "✕" },
  deploying: { zh: "正在关", en: "deploying", mark: "…" },
  deployed_unverified: { zh: "已关待核", en: "unverified", mark: "?" },
  deployed: { zh: "已关", en: "deployed", mark: "✓" },
  overtopped: { zh: "漫顶", en: "overtopped", mark: "!" },
  failed: { zh: "故障", en: "failed", mark: "!" },
  unknown: { zh: "不明", en: "unknown", mark: "?" },
  none: { zh: "应装未装", en: "missing", mark: "✕" },
};

export const RULES = {
  "inside-depth": { zh: "室内积水", en: "inside depth" },
  "inside-depth-rising": { zh: "室内积水上涨", en: "inside depth, rising" },
  freeboard: { zh: "室外距坎", en: "freeboard" },
  "outside-head": { zh: "室外高出坎顶", en: "head over crest" },
  "rise-rate": { zh: "涨速", en: "rise rate" },
  "rain-5min": { zh: "5分钟雨量", en: "rain in 5 min" },
  "rain-10min": { zh: "10分钟雨量", en: "rain in 10 min" },
  "rain-60min": { zh: "60分钟雨量", en: "rain in 60 min" },
  "warning-colour": { zh: "预警信号", en: "warning signal" },
  "time-to-orange": { zh: "预计到橙色", en: "time to orange" },
  "time-to-red": { zh: "预计到红色", en: "time to red" },
  "orange-within-30min": { zh: "30分钟内到橙色的概率", en: "orange within 30 min" },
  "barrier-not-deployed": { zh: "挡板未关", en: "barrier not deployed" },
  "pump-not-coping": { zh: "水泵不足", en: "pump not coping" },
  leak: { zh: "渗漏", en: "leak" },
  "float-lifted": { zh: "浮球开关浮起", en: "float switch lifted" },
  blind: { zh: "无数据", en: "blind" },
};

export const CONTRIBUTIONS = {
  level_margin: { zh: "水位余量", en: "level margin" },
  forecast: { zh: "预测", en: "forecast" },
  rain: { zh: "降雨", en: "rain" },
  rise: { zh: "涨速", en: "rise rate" },
  barrier: { zh: "挡板", en: "barrier" },
  confidence: { zh: "数据可信", en: "confidence" },
  supplies: { zh: "物资短缺", en: "supplies short" },
  people: { zh: "人员", en: "people" },
  vulnerability: { zh: "脆弱性", en: "vulnerability" },
  assets: { zh: "车辆设备", en: "assets" },
};

export const ORDER_STATES = {
  issued: { zh: "已下达", en: "issued" },
  taken: { zh: "已接令", en: "taken" },
  confirmed: { zh: "已确认", en: "confirmed" },
  refused: { zh: "被拒", en: "refused" },
  cancelled: { zh: "已取消", en: "cancelled" },
};

export const FOUR = {
  leader: { zh: "指挥", en: "leader" },
  team: { zh: "队伍", en: "team" },
  plan: { zh: "预案", en: "plan" },
  single_voice: { zh: "口径", en: "voice" },
};

export const PROOFS = {
  barrier_deployed: { zh: "安装挡板", en: "deploy barrier" },
  entrance_closed: { zh: "封闭出入口", en: "close entrances" },
  pump_running: { zh: "启泵", en: "run pumps" },
  evacuated: { zh: "疏散", en: "evacuate" },
  checked: { zh: "到场查看", en: "check on site" },
};

export const REPORTS = {
  phone: { zh: "电话首报", en: "first report by phone" },
  first: { zh: "初报", en: "first report" },
  follow_up: { zh: "续报", en: "follow-up report" },
  final: { zh: "终报", en: "final report" },
};

export const SYSTEM = { zh: "系统", en: "system" };

export function pair(table, key) {
  return table[key] ?? { zh: key, en: key };
}
