"""What an adjudicator sees: the annotators' task, their answers without names, and a question for the reason."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from ...data.labels import LabelSet
from ..studio.config import OBJECT, instructions, label_config, signed

WHY, NOTE = "why", "note"
REASONS = {
    "guideline": "依据规范",
    "oversight": "标注员漏看",
    "ambiguous": "句子有歧义",
    "unclear": "规范不清",
    "other": "其他",
}
"""The reasons for a decision: the stored name and the text shown."""


def adjudication_config(labels: LabelSet) -> str:
    """Label Studio's XML: as for annotators, with their answers above the choices and the reason below."""
    body = label_config(labels).partition("<View>\n")[2].removesuffix("\n</View>")
    answers = """\
  <View style="background: #f3f5f8; border-radius: 4px; padding: 4px 8px; margin-bottom: 12px">
    <Header value="标注员的答案" size="6"/>
    <Text name="answers" value="$answers"/>
  </View>
"""
    reasons = "".join(
        f"    <Choice value={quoteattr(shown)} alias={quoteattr(stored)}/>\n" for stored, shown in REASONS.items()
    )
    why = f"""\
  <Header value="为什么这样裁定" size="6"/>
  <Choices name="{WHY}" toName="{OBJECT}" choice="single-radio" showInline="true" required="true" \
requiredMessage="请选择裁定的理由">
{reasons}  </Choices>
  <TextArea name="{NOTE}" toName="{OBJECT}" rows="2" showSubmitButton="false" maxSubmissions="1" \
placeholder="依据规范第几条、为什么，可以不写"/>
"""
    before, choices, rest = body.partition("  <Choices ")
    inside, end, after = rest.partition("  </Choices>\n")
    return signed([f"{before}{answers}{choices}{inside}{end}{why}{after}"])


def adjudication_guide(labels: LabelSet) -> str:
    """Instructions for the adjudicator as HTML: how to decide, then the guideline."""
    return (
        "<p>这里是标注员答案不一致的句子。先自己判断，再看答案；A、B、C 的次序每句不同，不代表同一个人。"
        "请依据规范裁定，并选择理由；规范没有说清的，选“规范不清”，以便修订规范。拿不准就跳过。</p>"
        + instructions(labels)
    )
