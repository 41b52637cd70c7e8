"""What an empty panel says: why there is nothing, in Chinese and English."""

from __future__ import annotations

NO_SPACE = "没有符合筛选的地下空间，或未导入站点 · No space fits the filter, or no site is imported"
NO_SENSOR = "该处未登记传感器 · The site file names no sensor here"
NO_READING = "所示时段内没有可用读数 · No usable reading in this range"
NO_JUDGEMENT = "所示时段内引擎无输出 · The engine wrote nothing in this range"
NO_FORECAST = (
    "没有预计超限，或此处盲区、引擎无输出（见首行）"
    " · Nothing is forecast, or it is blind, or nothing was judged: see the first row"
)
NO_BAND = (
    "未见积水，或一小时内不会超限，或此处盲区、引擎无输出（见首行）"
    " · No water seen, nothing crossed within the hour, or blind, or not judged: see the first row"
)
NO_WATER_IN = (
    "未见水越过挡水坎或室内积水，或引擎无输出（见首行）"
    " · No water seen over a crest or inside, or not judged: see the first row"
)
NO_BARRIER = "没有登记挡水设施，或它们从未报告 · No barrier is registered, or none ever reported"
NO_PUMP = "没有登记水泵，或时段内无状态 · No pump is registered, or none reported in this range"
NO_THRESHOLD = "没有这一处 · There is no such space"
NO_ALARM = "所示时段内没有警报 · No alarm in this range"
NO_SHIFT = "时段内排班表上没有第 0 级值班 · The roster has nobody at step 0 in this range"
NO_ORDER = "时段内没有指令 · No order in this range"
NO_REPORT = "没有须上报的事件 · No incident has to be reported"
NOBODY_TOLD = "时段内没有通知 · Nobody was told of anything in this range"
NO_REQUIREMENT = "未登记物资需求 · The site file states no requirement"
NO_STOCK = "未登记库存 · The site file states no stock"
NO_STOCK_SENSOR = "没有库存计数传感器 · No sensor counts stock"
NO_STOCK_MOVEMENT = "时段内没有出入库或清点 · Nobody moved or counted supplies in this range"
NO_GAUGE = "没有雨量站，或时段内无数据 · No rain gauge, or no data in this range"
NO_WARNING = "没有生效预警，时段内也未录入 · No warning is in force, and none was entered in this range"
NOT_BLIND = "没有盲区 · No space is blind"
NOT_STALE = "没有失联传感器 · No sensor is silent"
NO_DEAD_LETTER = "没有死信 · Every message could be read"
NO_CONDITION = "系统自身无异常记录 · Nothing has ailed the system itself"
NO_CONFLICT = "没有冲突 · No conflict"
NO_LIBRARY = "没有历史积水库 · No library of past floods; `undercroft floods build` makes one"
NO_MESSAGE = "时段内没有收到消息，或计数已不保留 · No message in this range, or their counts are no longer kept"
NO_JUDGED_BATCH = (
    "时段内没有批次被研判，或计数已不保留 · No batch was judged in this range, or their counts are no longer kept"
)
NO_CANARY = "未登记哨兵设备 (canary…) · No canary device is registered"
NOT_LATE = "没有迟到读数 · Nothing came late"
NO_ACT = "时段内没有行动记录 · Nobody's act is recorded in this range"
