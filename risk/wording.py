"""The words of reasons, Chinese and English, in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor, inf, isfinite, nan
from typing import Any

COLOURS_ZH = {"yellow": "黄色", "orange": "橙色", "red": "红色"}

BARRIERS_ZH = {
    "none": "未安装",
    "open": "敞开",
    "deploying": "正在关闭",
    "deployed_unverified": "已放下未核实",
    "deployed": "已关闭",
    "overtopped": "已漫顶",
    "failed": "故障",
    "unknown": "状态不明",
}


def _cm(metres: float | None) -> str:
    return "-" if metres is None else f"{metres * 100:.0f} cm"


def _below(metres: float, edge_en: str, edge_zh: str) -> tuple[str, str]:
    """Return where water stands against an edge; a negative freeboard is water above it."""
    if round(metres * 100) < 0:
        return f"{_cm(-metres)} above the {edge_en}", f"水面已高出{edge_zh} {_cm(-metres)}"
    return f"{_cm(abs(metres))} below the {edge_en}", f"水面距{edge_zh}仅 {_cm(abs(metres))}"


LEVELS_EN = ("none", "blue", "yellow", "orange", "red")
LEVELS_ZH = ("无", "蓝色", "黄色", "橙色", "红色")


def _within(threshold: float | None, edge_en: str, edge_zh: str) -> tuple[str, str]:
    """Return the limit of a freeboard: water this close below an edge, or higher."""
    if threshold is None:
        return "", ""
    return f" (limit: {_cm(threshold)} below the {edge_en})", f"(阈值:距{edge_zh} {_cm(threshold)})"


def _raises(words: dict[str, Any]) -> tuple[str, str]:
    """Return which level "one level up" made of which."""
    if "raises" not in words:
        return "", ""
    low, high = words["raises"]
    return f": raises {LEVELS_EN[low]} to {LEVELS_EN[high]}", f":由{LEVELS_ZH[low]}升为{LEVELS_ZH[high]}"


def phrase(rule: str, value: float, threshold: float | None, words: dict[str, Any]) -> tuple[str, str]:
    """Return a rule's finding in English and Chinese; that of a step says what it raises."""
    en, zh = _finding(rule, value, threshold, words)
    if rule == "barrier-not-deployed":
        return en, zh
    up_en, up_zh = _raises(words)
    return en + up_en, zh + up_zh


def _order(orange_min: float, red_min: float) -> tuple[str, str]:
    """Return by when a barrier must be ordered to be up before orange; where that is too late, before red.

    Examples
    --------
    >>> _order(7.8, 20.0)[0]
    '; order it within 7 min: up before the water reaches orange'
    >>> _order(-inf, -inf)[0], _order(nan, 20.0)[0]
    ('; too late to be up before the water reaches red', '')
    """
    if orange_min != -inf:
        return _order_before("orange", orange_min)
    if red_min == -inf:
        return "; too late to be up before the water reaches red", ",水位达到红色前已来不及就位"
    en, zh = _order_before("red", red_min)
    return f"; too late to be up before the water reaches orange{en}", f",水位达到橙色前已来不及就位{zh}"


def _order_before(colour: str, left_min: float) -> tuple[str, str]:
    if not isfinite(left_min):
        return "", ""
    if left_min < 1.0:
        return (
            f"; order it now: it may still be up before the water reaches {colour}",
            f",须立即下令,或可在水位达到{COLOURS_ZH[colour]}前就位",
        )
    return (
        f"; order it within {floor(left_min)} min: up before the water reaches {colour}",
        f",须在 {floor(left_min)} 分钟内下令,方能在水位达到{COLOURS_ZH[colour]}前就位",
    )


def _outside(words: dict[str, Any]) -> tuple[str, str]:
    """Return what a leak says of the outside: that it is dry, or when it was so last, where its sensor is not heard."""
    en, zh = "outside is dry", "室外无水"
    if "outside_min" in words:
        minutes = f"{words['outside_min']:.0f}"
        en, zh = f"outside was dry when last heard, {minutes} min ago", f"室外最后一次可信读数({minutes} 分钟前)无水"
    elif "outside_doubted" in words:
        en, zh = "outside was never heard well", "室外尚无可信读数"
    if words.get("outside_doubted"):
        en, zh = f"{en} (what its sensor said since is doubted)", f"{zh}(其后读数存疑)"
    return en, zh


def _finding(rule: str, value: float, threshold: float | None, words: dict[str, Any]) -> tuple[str, str]:  # noqa: PLR0911, PLR0912 - one line per rule
    en, zh = words.get("place_en", ""), words.get("place_zh", "")
    edge_en, edge_zh = ("barrier top", "挡板顶") if words.get("deployed") else ("crest", "挡水坎")
    match rule:
        case "inside-depth":
            return (
                f"Water {_cm(value)} deep {en} (limit {_cm(threshold)})",
                f"{zh}积水 {_cm(value)}(阈值 {_cm(threshold)})",
            )
        case "inside-depth-rising":
            return (
                f"Water {_cm(value)} deep {en} and rising (limit {_cm(threshold)})",
                f"{zh}积水 {_cm(value)} 且在上涨(阈值 {_cm(threshold)})",
            )
        case "freeboard":
            where_en, where_zh = _below(value, edge_en, edge_zh)
            limit_en, limit_zh = _within(threshold, edge_en, edge_zh)
            return f"Water {en} stands {where_en}{limit_en}", f"{zh}{where_zh}{limit_zh}"
        case "outside-head":
            return (
                f"Water {en} stands {_cm(value)} over the {edge_en} (limit {_cm(threshold)})",
                f"{zh}水面高出{edge_zh} {_cm(value)}(阈值 {_cm(threshold)})",
            )
        case "rise-rate":
            rate, limit = f"{value * 100:.1f} cm/min", "-" if threshold is None else f"{threshold * 100:.0f} cm/min"
            return f"Water {en} rises {rate} (limit {limit})", f"{zh}水位上涨 {rate}(阈值 {limit})"
        case "rain-5min" | "rain-10min" | "rain-60min":
            minutes = rule.removeprefix("rain-").removesuffix("min")
            ready_en, ready_zh = ("; be ready for red", ",做好红色准备") if words.get("ready") else ("", "")
            return (
                f"{value:.1f} mm of rain in {minutes} min (limit {threshold} mm){ready_en}",
                f"{minutes} 分钟雨量 {value:.1f} mm(阈值 {threshold} mm){ready_zh}",
            )
        case "warning-colour":
            colour = words["colour"]
            return f"Rain warning in force: {colour}", f"暴雨{COLOURS_ZH[colour]}预警生效"
        case "barrier-not-deployed":
            state = words.get("barrier", "unknown")
            soon = words.get("forecast")
            where_en, where_zh = _below(value, "crest", "挡水坎")
            limit_en, limit_zh = _within(threshold, "crest", "挡水坎")
            soon_en, soon_zh = (f" expected in {soon:.0f} min:", f"预计 {soon:.0f} 分钟后") if soon else ("", "")
            up_en, up_zh = _raises(words)
            doubt_en, doubt_zh = ("", "")
            if words.get("flapping"):
                doubt_en, doubt_zh = " (its switch says deployed on and off: not believed)", "(开关状态反复,不予采信)"
            en = f"{en} but {state.replace('_', ' ')}{doubt_en}{up_en}{';' if up_en else ':'}"
            by_en, by_zh = _order(*words.get("order_min", (nan, nan)))
            return (
                f"Barrier needed {en}{soon_en} water {where_en}{limit_en}{by_en}",
                f"{zh}需要挡水而挡板{BARRIERS_ZH[state]}{doubt_zh}{up_zh},{soon_zh}{where_zh}{limit_zh}{by_zh}",
            )
        case "pump-not-coping":
            return f"Pump runs {value:.0f} min and the level still rises", f"水泵运行 {value:.0f} 分钟,水位仍上涨"
        case "time-to-orange" | "time-to-red":
            colour = rule.removeprefix("time-to-")
            limit_en = "" if threshold is None else f" (limit {threshold:.0f} min)"
            by_en, by_zh = _foreseen_by(words) if "nowcast_us" in words else ("", "")
            return (
                f"Water likely to reach {colour} in {value:.0f} min{by_en}{limit_en}",
                f"预计 {value:.0f} 分钟后达到{COLOURS_ZH[colour]}{by_zh}",
            )
        case "orange-within-30min":
            limit_en, limit_zh = (
                ("", "") if threshold is None else (f" (limit {threshold:.0%})", f"(阈值 {threshold:.0%})")
            )
            why_en, why_zh = _drivers(words)
            by_en, by_zh = _foreseen_by(words)
            return (
                f"Orange within 30 min is {value:.0%} likely{by_en}{limit_en}{why_en}",
                f"30 分钟内达到橙色的概率 {value:.0%}{by_zh}{limit_zh}{why_zh}",
            )
        case "leak":
            outside_en, outside_zh = _outside(words)
            return (
                f"{_cm(value)} of water inside while {outside_en}: leak, pump failure or sensor fault, look",
                f"{outside_zh}而室内积水 {_cm(value)}:渗漏、水泵或传感器故障,请查看",
            )
        case "float-lifted":
            if value < 0:
                return (
                    f"Float switch {en} lifted, {_cm(-value)} below the floor: the sump fills",
                    f"{zh}浮球开关浮起(低于地面 {_cm(-value)}):集水坑水位偏高",
                )
            return (
                f"Float switch {en} lifted: water at least {_cm(value)} deep on a floor that should be dry, look",
                f"{zh}浮球开关浮起:本应干燥处积水至少 {_cm(value)},请查看",
            )
        case "blind":
            near_en, near_zh = _near(words.get("stand_ins", ()))
            if words.get("never"):
                return f"No level sensor here while it rains: blind{near_en}", f"降雨中本处无水位数据:失明{near_zh}"
            what_en, what_zh = ("Only doubtful data", "只有存疑数据") if words.get("doubted") else ("No data", "无数据")
            rain_en, rain_zh = ("since it rained", "雨后") if words.get("over") else ("while it rains", "降雨中")
            return (
                f"{what_en} {en} for {words['minutes']:.0f} min {rain_en}: blind{near_en}",
                f"{rain_zh}{zh}已 {words['minutes']:.0f} 分钟{what_zh}:失明{near_zh}",
            )
    raise ValueError(f"no words for rule {rule}")


def _near(stand_ins: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return who stands in for a blind space, and what is measured there."""
    en, zh = "", ""
    for one in stand_ins:
        where_en, where_zh = f"{one['name_en']}, {one['distance_m']} m away", f"{one['name_zh']}({one['distance_m']} m)"
        if one["kind"] == "water":
            en += f"; stand-in {where_en}: water {_cm(one['depth_m'])}"
            zh += f";替代站 {where_zh}:水深 {_cm(one['depth_m'])}"
        else:
            en += f"; rain at {where_en}: {one['rain_10min_mm']:.1f} mm in 10 min"
            zh += f";雨量站 {where_zh}:10 分钟 {one['rain_10min_mm']:.1f} mm"
    return en, zh


def stand_in_words(place: Mapping[str, Any]) -> tuple[str, str]:
    """Return what is added to a value that was measured elsewhere, for a space that is silent."""
    away = "" if place["distance_m"] is None else f", {place['distance_m']} m away"
    away_zh = "" if place["distance_m"] is None else f"({place['distance_m']} m)"
    return (
        f" (stand-in, measured at {place['name_en']}{away}: nothing is heard here)",
        f"(替代值,测于{place['name_zh']}{away_zh}:本处无数据)",
    )


def _foreseen_by(words: dict[str, Any]) -> tuple[str, str]:
    """Return what foresaw it: past floods, or the ensemble."""
    if floods := words.get("floods"):
        return f", from {floods} past floods", f"(依据 {floods} 次历史积水)"
    return ", by the ensemble", "(集合预报)"


def _drivers(words: dict[str, Any]) -> tuple[str, str]:
    """Return what drives a probability: the missing depth, the rain, the members that get there.

    Without past floods it is more than the members' share: calibrated by depth and rain (`risk.nowcast.calibration`).
    """
    if "members" not in words:
        return "", ""
    short, rain, members = _cm(words["missing_m"]), f"{words['rain_mm']:.1f} mm", f"{words['members']:.0%}"
    if words.get("floods"):
        return f": {short} short of it, reached by {members} of them", f":距阈值 {short},其中 {members} 达到"
    return (
        f": {short} short of it, {rain} of rain in 10 min, reached by {members} of the members before calibration"
        " by depth and rain",
        f":距阈值 {short},10 分钟雨量 {rain},{members} 的成员达到(按水深和雨量校准之前)",
    )


def lifted_words() -> tuple[str, str]:
    """Return what is added to a value that is the height of a float switch."""
    return " (a float switch is lifted: at least that)", "(浮球开关浮起:水位不低于此值)"


def left_words() -> tuple[str, str]:
    """Return what is added to the last word of a sensor that an import took out of the site there."""
    return " (last word of a sensor that the site no longer has there)", "(该处传感器已从站点文件中移除,此为其最后读数)"


def held_words() -> tuple[str, str]:
    """Return what is added to a reason that was met and has not been left yet."""
    return " (was met; held until it has stood clear for the off-delay)", "(曾达到阈值,须持续回落后才降级)"


def reporter_words(by: str) -> tuple[str, str]:
    """Return what is added to a value that a person reported."""
    return f" (reported by {by})", f"({by}现场报告)"


def contradicted_words(sensor: str, depth_m: float) -> tuple[str, str]:
    """Return what is added to a value that another sensor of the same place contradicts."""
    return f" ({sensor} beside it says {_cm(depth_m)}: one is wrong)", f"(旁侧 {sensor} 为 {_cm(depth_m)},二者必有一误)"


def doubt_words(doubt: str) -> tuple[str, str]:
    """Return what is added to a value of which the newest reading is not good, by the name of its quality."""
    if doubt in ("fail", "missing"):
        return f" ({doubt} reading: last trusted value)", "(读数失效,沿用最近可信值)"
    return f" ({doubt} reading: not confirmed)", "(读数存疑)"
