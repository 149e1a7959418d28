"""Lines that belong to the web page or the printed page and not to the report; they are never labelled."""

from __future__ import annotations

import re

_DATE = (
    r"[12][0-9]{3}\s*+[-年/.]\s*+[0-9]{1,2}\s*+[-月/.]\s*+[0-9]{1,2}\s*+日?"
    r"(?:\s*+[0-9]{1,2}[:：][0-9]{2}(?:[:：][0-9]{2})?)?"
)
_FIELD = (
    "栏目|索引号|信息索引|发布(?:日期|时间|机构|单位|者|人)|公开(?:日期|时间|方式|范围|形式|类别|目录)|成文日期|生成日期|公布日期|编印日期|印发日期|印数"
    "|(?:信息|文章|稿件)?来源|稿源|作者|(?:责任)?编辑|编审|审核人?|审签|初审|终审|供稿|撰稿|录入"
    "|(?:浏览|阅读|点击|访问)(?:次数|量|数)?|字号|字体(?:大小|显示)?|文字大小|视力保护色|保护视力色|信息分类|主题分类|主题词|体裁分类|服务对象"
    "|文号|发文字号|文件编号|(?:信息)?有效性|时效性|更新(?:时间|日期)|日期|时间|分享(?:到|至)?|关键词|信息名称|上一[篇条页]|下一[篇条页]|备案号"
    "|您?(?:现在|当前)?(?:所在)?的?位置"
)
# A line that holds only these, dates and separators is furniture.
_CONTROLS = re.compile(
    r"扫一扫(?:在)?|扫描(?:下方)?二维码|二维码|查看原文|(?:在)?手机(?:上)?(?:打开|查看|浏览)?(?:当前页面?|本页)?|打印(?:本页|正文|此页|该页)?|关闭(?:窗口|本页)?|浏览字号"
    r"|字号|字体|收藏(?:本页)?|返回(?:顶部|首页|列表|上页)?|分享(?:到|至)?|微信|微博|朋友圈|相关(?:新闻|链接|阅读|文章|信息|附件下载|推荐|稿件)|友情链接"
    r"|网站(?:地图|首页|声明|导航|标识码)|联系我们|关于我们|版权(?:所有|声明)|设为首页|加入收藏|无障碍(?:浏览|阅读)?|长者(?:模式|版)|繁[体體](?:中文|版)?|简体"
    r"|English|点击下载|下载|放大|缩小|默认|特大|大|中|小|A[+-]|我要纠错|网页纠错|纠错|听报|语音播报|正文|首页|上一[篇条页]|下一[篇条页]|没有了|登录|注册|全文检索|搜索"
    rf"|{_DATE}|[\s|｜/·、,，:：>》\-—【】\[\]［］()（）]+",
    re.IGNORECASE,
)
_LINE = re.compile(
    rf"[【\[［(（<〈]?\s*+(?:{_FIELD})\s*+[】\]］)）]?\s*+[:：]"
    rf"|{_DATE}\s*+(?:[|｜]|来源|作者|浏览|字号|【|\[|点击|阅读|发布|分享|编辑)"
    r"|扫一扫|如?(?:扫描)?(?:下方)?二维码|用?微信扫|打开微信|.{0,20}(?:分享到|分享至)"
    r"|版权所有|Copyright|©|(?:主办|承办)(?:单位)?[:：]|技术支持[:：]|(?:政府)?网站标识码|.{0,60}(?:ICP备|公网安备)\s*[0-9]"
    r"|.{0,60}(?:收集整理.{0,3}相关权利|版权归原作者)"
    r"|.{0,12}(?:访问|浏览|阅读|点击)(?:次数|量|数)?\s*+[:：]?\s*+[0-9]++\s*+次?$"
    r"|Public domain$|(?:true|false|null|undefined|NaN)$|公有领域[。.]?$"
    r"|附件下载|.{1,60}\.(?:docx?|xlsx?|pdf|wps|et|zip|rar|ofd|pptx?)(?:\s*[（(]?(?:下载|[0-9.]+\s?[KkMm]B?).{0,6})?$"
    r"|.{0,24}第[0-9一二三四五六七八九十百]{1,5}期(?:\s?[（(].{1,8}[）)])?$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"[\u4e00-\u9fff]{2,12}\s?[〔\[［【(（][12][0-9]{3}[〕\]］】)）]\s?第?\s?[0-9]{1,4}\s?号(?:\s.{0,40})?$"
)
_CAPTION = re.compile(
    r"[附]?[表图]\s?[0-9一二三四五六七八九十]{1,3}(?:[-－—.][0-9]{1,2})?[\s:：].{2,60}$|单位\s?[:：]\s?[\u4e00-\u9fff、]{1,10}$"
)
_NOTICE = re.compile(
    r"扫一扫|如?(?:扫描)?(?:下方)?二维码|用?微信扫|打开微信|版权所有|Copyright|©|公有领域", re.IGNORECASE
)
_FIELDS = re.compile(
    rf"(?:{_FIELD})\s*+[】\]］)）]?\s*+[:：]|[【\[［][^】\]］]{{0,4}}(?:打印|关闭|收藏|字号|字体|纠错)[^】\]］]{{0,12}}[】\]］]"
)
_CRUMBS = re.compile(
    r"[^。！？]{0,20}(?:首页|主页|位置\s*[:：]).{0,6}(?:>|＞|›|»|→|/|\\|-|—|》|::).{0,100}$"
    r"|[^。！？，,；>＞›»]{1,30}(?:[>＞›»]+[^。！？，,；>＞›»]{1,30}){2,}$"
    r"|[^。！？，,；/·|\s]{2,16}(?:\s[/·|]\s[^。！？，,；/·|\s]{2,20}){2,}$"
)
_GAP = re.compile(r"\s*\t\s*|\u3000+|\s{2,}")
_NUMBER = re.compile(r"[-+−±]?[0-9][0-9,，.]*[%％]?|—+|-+")
_PAGE = re.compile(
    r"[-—–―－‐·•\s]*+(?:第?\s*+[0-9０-９]{1,4}\s*+页?|第\s*+[一二三四五六七八九十百]{1,5}\s*+页)"
    r"(?:\s*+[/／,，]?\s*+共?\s*+[0-9０-９]{1,4}\s*+页?)?[-—–―－‐·•\s]*+$"
    r"|Page\s*+[0-9]++(?:\s*+(?:of|/)\s*+[0-9]++)?$"
)
_CONTENTS = re.compile(r"目\s*+[录次]$|.{2,80}?[.．·…⋯]{3}[.．·…⋯]*+[\s.．·…]*+[-—(（]?\s*+[0-9]{1,3}\s*+[-—)）]?$")
# Under a report's title: who spoke, where and when.
_OFFICE = (
    "总理|省长|市长|县长|区长|州长|旗长|盟长|主席|主任|局长|厅长|部长|院长|检察长|校长|乡长|镇长"
    "|书记|专员|董事长|总经理"
)
_OCCASION = re.compile(
    r"(?:[—―－-]{1,4}|[（(])?\s*[12〇○一二三四五六七八九零０-９0-9]{4}\s*年.{0,60}(?:会议?上?|讲话|通过|[日月])\s*[）)]?$"
    rf"|.{{0,30}}(?:{_OFFICE})(?:\s{{0,4}}[\u4e00-\u9fff·]{{1,4}}(?:\s+[\u4e00-\u9fff]{{1,2}})?)?$"
)


def is_furniture(line: str) -> bool:
    """Whether the words of ``line`` (without white space around it) show that it is page furniture."""
    if len(line) > 240:
        return False
    if line[-1] in "。；！？":  # a sentence, except for notes on copyright and on codes to scan
        return len(line) <= 60 and _NOTICE.match(line) is not None
    return bool(
        _PAGE.match(line)
        or _LINE.match(line)
        or _CRUMBS.match(line)
        or _CONTENTS.match(line)
        or _NUMBERED.match(line)
        or _CAPTION.match(line)
        or _is_controls(line)
    )


def _is_controls(line: str) -> bool:
    """Whether the line holds page controls or page fields and little else."""
    fields = len(_FIELDS.findall(line)) if any(c in line for c in ":：【[［") else 0
    if fields > 1 or (fields and re.search(_DATE, line)):
        return True
    # A date in words on its own belongs to the signature; a dash on its own may number the next line.
    return not _CONTROLS.sub("", line) and not re.fullmatch(
        r"[（(]?[12][0-9]{3}\s*年.{2,12}日?[）)]?|[—―－-]{1,3}", line
    )


def is_table_row(line: str) -> bool | None:
    """Whether ``line`` is a row of a table set with wide gaps (True) or its head (False); None if neither."""
    if len(line) > 200 or "。" in line:
        return None
    cells = _GAP.split(line)
    if len(cells) < 3:
        return None
    if any(_NUMBER.fullmatch(cell) for cell in cells):
        return True
    return False if max(map(len, cells)) <= 16 else None


def is_licence(line: str) -> bool:
    """Whether Wikisource's licence begins here, below the text: the lines after it are furniture too."""
    return line.startswith(("本作品在", "本作品是", "本作品来自", "本作品收录", "注：中文维基文库"))


def is_page_number(line: str) -> bool:
    """Whether ``line`` holds nothing but a page number."""
    return _PAGE.match(line) is not None


def is_occasion(line: str) -> bool:
    """Whether a line under the title names the occasion or the speaker."""
    return len(line) <= 80 and _OCCASION.match(line) is not None
