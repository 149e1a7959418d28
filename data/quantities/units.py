"""The units of counts and measurements in reports."""

from __future__ import annotations

import re


def _words(text: str) -> list[str]:
    return text.split()


_MEASURES = _words(
    "个百分点 百分点 个千分点 千分点 个基点 基点 % ‰ 倍 "
    "平方公里 平方千米 平方米 立方米 立方 公顷 亩 公里 千米 厘米 毫米 米 海里 "
    "吨标准煤 标准煤 吨 公斤 千克 毫克 微克 克 担 斤 升 "
    "千瓦时 兆瓦时 吉瓦 兆瓦 千瓦 瓦 千伏安 千伏 摄氏度 ℃ 标准箱 标箱 "
    "PB TB GB MB EB Gbps Mbps TEU kW kWh MW GW km kg "
    "美元 欧元 港元 日元 英镑 元 "
    "个工作日 工作日 个小时 小时 个学时 学时 课时 分钟 秒 天 个月 周岁 岁"
)
COUNTS = frozenset(
    "个名人件家项起户座所份张本册场期篇部宗例台辆套枚只头株棵条处次位门支间栋幢孔眼口道路盏节堂讲轮版页种类款批片块幅面根对双"
    "把顶床席班趟列架艘队组箱袋瓶桶车罐单笔票封则卷档集段层剂针管尾羽匹粒枝束字岗分"
)
_PAIRS = _words(
    "人次 人份 人天 件次 户次 家次 台次 车次 班次 架次 场次 份次 艘次 篇次 剂次 针次 批次 条次 宗次 项次 辆次 "
    "处次 起次 套次 课次 所次 卷次 个次 台班 件套 台套 台件 床位 泊位 席位"
)
_PART_OF_A_WORD = {
    "个": "别",
    "人": "口",
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
"""Contexts in which a unit is part of another word (三次产业, 五家渠, 每周四轮流); 分 counts if nothing follows."""
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

_ALIASES = {
    name: name.removeprefix("个") for name in ("个百分点", "个千分点", "个基点", "个工作日", "个小时", "个学时")
}


def plain(unit: str) -> str:
    """The name of ``unit`` in tables: 百分点 for 个百分点, 台套 for 台（套）."""
    unit = re.sub("[（）]", "", unit)
    return _ALIASES.get(unit, unit)
