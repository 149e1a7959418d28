"""A simple baseline: keywords in the sentence, and the part of the report that it is in."""

from __future__ import annotations

import re

from ..data.report import Report, Sentence, normalise
from .sections import Section, section

_PROBLEM = re.compile(
    "不足|不够|不强|不高|不完善|不健全|不平衡|不充分|薄弱|滞后|短板|有待|缺乏|短缺|偏[低慢少]|差距|瓶颈|压力[较加增]|困难和问题"
)
_INTENT = re.compile("下一步|下半年|我们?将|[我全][市县省区局]将|力争|明年|今后|争取|奋力|计划[于在]|努力(?:实现|完成)")
_EMPTY = re.compile(
    "报告如下|汇报如下|各位代表|请予审议|感谢|(?:的结果|的开局之年|的关键之年)[。!]?$|公布如下|^\\(?(?:署名|附件|联系)"
)
_HANZI = "[一二两三四五六七八九十百千]"
_NUMBER = rf"(?:[0-9]|(?<!{_HANZI}){_HANZI}++)[余多]?[百千万亿]*[余多]?"  # the last digit is enough
_UNIT = (
    "个(?!别|性|体)|项|件|家|人|名|户|批|场|期次|期(?!间)|条|倍|元|亩|公里|千米|米|吨|公斤|公顷|平方|立方|度(?!假)|"
    "所|座|处|台|辆|套|份|篇|起|宗|例|次(?!会)|天|小时|分钟|分(?![别类级])|万|亿|成(?!立|效|果|为|本)|位|类|门|对|张|"
    "册|卷|本|支|只|头|趟|班|课时|学时|村|镇|街道|社区|村镇|乡镇"
)
_METRIC = re.compile(rf"[0-9]%|[0-9]个?百分点|百分之|第(?:[0-9]+|[一二三四五六七八九十]+)[名位]|{_NUMBER}(?:{_UNIT})")
_NAMES = re.compile(  # text with numbers that measure nothing
    "[“\"'][^”\"']{0,12}[”\"']|[0-9]{4}(?:-[0-9]{4})?年|[0-9]{1,2}月|[0-9]{1,2}日|(?<![0-9])[0-9]++号|"
    "第[一二三四五六七八九十0-9]+[届次个]|(?<![一二三四五六七八九十])[一二三四五六七八九十]++[是要]|"
    "^\\(?[一二三四五六七八九十0-9]+[)、.](?![0-9])|两个(?:维护|确立)|[一三四两]个(?:代表|意识|自信)"
)


class KeywordRules:
    """Labels sentences by keywords, for the default label set only; without probabilities or training."""

    def annotate(self, report: Report) -> Report:
        """``report`` with labels on every sentence."""
        title = report.title
        return report.with_labels(
            [_labels(s, section(s.headings, title)) if s.kind == "sentence" else () for s in report.sentences]
        )


def _labels(sentence: Sentence, part: Section) -> list[str]:
    text = normalise(sentence.text)
    if _EMPTY.search(text):
        return []
    labels = []
    intent, problem = bool(_INTENT.search(text)), bool(_PROBLEM.search(text))
    if part == "plan" or intent:
        labels.append("plan")
    if part == "problems" or (problem and part != "plan"):
        labels.insert(0, "shortcoming")
    if not labels:
        labels.append("achievement")
    if _METRIC.search(_NAMES.sub("", text)):
        labels.append("metric")
    return labels
