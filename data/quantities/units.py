"""The units that reports count and measure in."""

from __future__ import annotations

import re

_MEASURES = (
    "个百分点 百分点 个基点 基点 % ‰ 倍 "
    "平方公里 平方千米 平方米 立方米 立方 公顷 亩 公里 千米 厘米 毫米 米 海里 "
    "吨标准煤 标准煤 吨 公斤 千克 毫克 微克 克 担 斤 升 "
    "千瓦时 兆瓦时 吉瓦 兆瓦 千瓦 瓦 千伏安 千伏 摄氏度 ℃ 标准箱 标箱 "
    "PB TB GB MB EB Gbps Mbps TEU kW kWh MW GW km kg "
    "美元 欧元 港元 日元 英镑 元 "
    "个工作日 工作日 个小时 小时 个学时 学时 课时 分钟 秒 天 个月 周岁 岁"
).split()
COUNTS = frozenset(
    (
        "个 名 人 件 家 项 起 户 座 所 份 张 本 册 场 期 篇 部 宗 例 台 辆 套 枚 只 头 株 棵 条 处 次 位 门 支 间 栋 幢 孔 眼 "
        "口 道 路 盏 节 堂 讲 轮 版 页 种 类 款 批 片 块 幅 面 根 对 双 把 顶 床 席 班 趟 列 架 艘 队 组 箱 袋 瓶 桶 车 罐 单 "
        "笔 票 封 则 卷 档 集 段 层 剂 针 管 尾 羽 匹 粒 枝 束 字 岗 分"
    ).split()
)
_PAIRS = (
    "人次 人份 人天 件次 户次 家次 台次 车次 班次 架次 场次 份次 艘次 篇次 剂次 针次 批次 条次 宗次 项次 辆次 处次 起次 "
    "套次 课次 所次 卷次 个次 台班 件套 台套 台件 床位 泊位 席位"
).split()
_PART_OF_A_WORD = {
    "个": "别",
    "家": "渠|庭|园",
    "所": "有",
    "部": "门|委",
    "台": "账|风|山|县|州",
    "次": "产业|供水|创业|元|开发|能源|利用|方",
    "位": "一体|数",
    "门": "峡|县|湾|诊",
    "支": "出|一扶",
    "道": "路|德|防线|关口",
    "节": "日|约|能|水|气|前|后",
    "轮": "流|岗|.{0,2}车|值|训",
    "种": "植|子",
    "批": "复|准",
    "面": "向|积|临|对|红旗",
    "对": "一|口|接|标|照|企|外|内|重",
    "组": "织|建|成|合",
    "列": "入|为|全",
    "班": "子|组|级|列",
    "队": "伍|员",
    "单": "位|独|元",
    "封": "闭",
    "集": "中|团|体|聚|约|成|群",
    "管": "理|控|网|护",
    "把": "手|关",
    "车": "间|站|辆|主|道|位",
    "片": "区",
    "套": "路",
    "天": "然|气|津|河|文|眼",
    "元": "旦|月|宵",
    "升": "级|至|到|为",
    "克": "服",
    "倍": "感|增",
    "头": "条",
    "段": "时",
    "字": "样|号",
    "分": r"(?![，。；：、！？）\s和及]|$|以上|以下|左右)",
}
"""What makes a unit part of another word (三次产业, 五家渠, 每周四轮流); 分 counts only where nothing follows."""
_BY = (
    "人次|人|亩|平方米|平方公里|立方米|千克|公斤|吨|升|户|天|年|月|日|次|千瓦时|千瓦|小时|分钟|件|个|只|头|公里|斤|村|班|"
    "10万|千人|万人|秒"
)


def _one(unit: str) -> str:
    other = _PART_OF_A_WORD.get(unit)
    return re.escape(unit) + (f"(?!{other})" if other else "")


_ONE = "|".join(_one(unit) for unit in sorted({*_MEASURES, *COUNTS, *_PAIRS}, key=len, reverse=True))
UNIT = rf"(?:(?:{_ONE})(?:（[台件套组辆个份册次处]{{1,2}}）)?(?:/(?:{_BY}))?)"
"""A regular expression for a unit as it follows a numeral; it holds no group."""

_ALIASES = {name: name.removeprefix("个") for name in ("个百分点", "个基点", "个工作日", "个小时", "个学时")}


def plain(unit: str) -> str:
    """``unit`` under the name that tables use: 个百分点 is 百分点, 台（套） is 台套."""
    unit = re.sub("[（）]", "", unit)
    return _ALIASES.get(unit, unit)
