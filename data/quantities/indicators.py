"""What a figure counts or measures: the words of its clause that say so."""

from __future__ import annotations

import re

from .wording import PERIOD, take_apart

VERBS = (
    "新改扩建|予以公开|新改建|改扩建|新登记|规划|谋划|开工|竣工|投产|办理|办结|办复|受理|完成|"
    "新建|新增|改造|组织|开展|举办|召开|发现|检查|立案|建成|建设|惠及|引进|培育|清理|查处|排查|"
    "提出|改建|扩建|关停|移送|查出|选派|培训|废止|修改|收到|发放|整改|帮助|投入|收回|抽查|出具|"
    "审核|约谈|下发|查实|归集|出动|实施|推动|抓获|兑现|责令|抽检|通报|挽回|调处|提请|转移|调解|"
    "核减|打通|细化|纳入|签约|淘汰|查封|破获|硬化|采纳|清退|启动|纠正|登记|制定|更新|推广|解决|"
    "评查|吊销|创建|督促|消除|挂接|追回|处理|补充|吸纳|下达|优化|避免|审结|化解|开放|覆盖|派出|"
    "修订|设立|收录|加固|认定|指导|安置|冻结|制发|印发|编制|绘制|发布|公布|公开|征集|审查|取消|"
    "下放|报送|接待|安排|筹集|争取|减免|节约|拆除|配置|添置|购置|配备|配发|布设|铺设|栽植|补植|"
    "发展|流转|服务|监测|录用|招录|招聘|聘请|评选|评出|评定|获得|荣获|取得|承办|承担|参加|签订|"
    "签署|梳理|录入|处置|接听|分流|发送|搜救|缴获|销毁|取缔|没收|罚没|罚款|关闭|停产|生产|销售|"
    "涉及|抽取|揪出|检出|配齐|盘活|解读|打掉|曝光|加装|带动|报备|更换|开发|获批|获评|发生|核查|"
    "新创|调拨|印制|撰写|整修|规范|增配|增设|指出|获准|申报|筹建|流调|签发|列入|交付|立项|编写|"
    "注销|置换|问责|劝退|查询|追究|调运|兴建|清运|腾退|敷设|检修|救治|退回|推送|抢救|更正|删除|"
    "铺筑|轮训|治理|挖出|移交|撤并|兑付|续签|备案|退出|偿付|搭建|汇总|公示|搬迁|绘成|追缴|查扣|"
    "揭出|打造|护送|帮销|复耕|修通|巡检|返还|退补|输出|处罚|否决|整合|投放|给予|压减|削减|减少|"
    "增加|调减|下调|上调|提高|防止|选聘|划分|清查|提醒|旁听|宣布|卸载|接种|代运|查验|暗访|摸清|"
    "保障|扩种|播种|举行|扶持|落实|推出|上线|接入|汇聚|聚集|开通|开行|运营|支持|资助|救助|慰问|"
    "走访|宣讲|发出"
)
_VERBS = re.compile(f"(?:新?(?:{VERBS}))+")
_OPENING = re.compile(
    r"^(?:[\s\u3000]+|[0-9]{1,2}[.．、]\s?|（[一二三四五六七八九十0-9]{1,3}）|[一二三四五六七八九十]{1,2}(?:是|要|、)"
    r"|第[一二三四五六七八九十]{1,2}，|——|[●◆■▲·]"
    r"|全(?:[省市县区国乡镇局校](?!会)|系统)|我[省市县区局]|市本级(?=财政)|(?:各|市)级财政(?=投入)"
    r"|其中|同时|另有?|此外|目前|预计|预期|力争|争取(?!.{0,4}资金)|确保|计划(?!生育)|拟|将|要|须|应(?![届急收付用对税诉当])|可"
    r"|还有|仍有|尚有|现有|共有|已有|有(?!效|机|关|限|色|线)|累计|总计|合计|共计?|已|先后|陆续"
    r"|再|又|也|都|均|仍|还|并|且|即|各(?!类|级|地|项|种|界)|全年|当场)+"
)
_CLOSING = re.compile(
    r"(?:达到|达|(?<![行作认称列成])为|是|共计|共有|共|计|(?<![人户亩平日年地村月篇每])均|都|已|仍|还|也|就|再|又|分别|平均|累计|总计|合计"
    r"|各|仅|只|全部|高达|(?<![拥所含享具])有|尚|约|了|的|完成|实现|突破|超过|越过|跨上|迈上"
    r"|保持在|稳定在|控制在|维持在|稳定|保持|力争|争取|须|(?<![响供对反])应|要|将|首次|当中|(?<![高初集其])中|先后"
    r"|[一二三四五六七八九十两]年内?|(?:在|到)?[12][0-9]{3}年|[和及与，、\s：])+$"
)
_YEARS = re.compile("[一二三四五六七八九十两]{1,3}年(?!级|制|期|代|检|计划|行动|规划)")
_PASSED = re.compile(r"^(?:左右|上下|以上|以下|以内|及以上|之多|多|的|，)+")
_TAIL = re.compile(r"[^，。；：！？、\s]*")
_NO_TAIL = re.compile("[，。；：！？、）)]|和|及(?!格)|与|同比|占|以[上下内]|左右|不等|用于")
_RANKING = ("位次", "名次", "排名")
_LONGEST = 40


def core(lead: str) -> str:
    """``lead`` without words that introduce it (numbering, periods, 全市, 累计) or link it to a figure (达到, 为)."""
    before = None
    while lead != before:
        before = lead
        lead = _OPENING.sub("", lead)
        if period := PERIOD.match(lead) or _YEARS.match(lead):
            lead = lead[period.end() :]
        lead = lead.removeprefix("，").removeprefix("、")
    closed = _CLOSING.sub("", lead)
    return "" if closed in _RANKING else _balanced(closed[-_LONGEST:].strip())


def tail(text: str, start: int, stop: int, unit: str) -> str:
    """The noun behind a figure that it counts (组建三支*巡查队伍*), up to ``stop`` or the clause's end; often none."""
    if unit in ("百分点", "位次", "倍", "番"):
        return ""
    found = _TAIL.match(text, start, stop)
    words = found[0] if found else ""
    if len(words) > _LONGEST:
        return ""
    passed = _PASSED.sub("", words)
    if not passed or (passed == words and _NO_TAIL.match(words)):
        return ""
    if passed != words and unit != "%" and not words.startswith("的"):
        return ""
    if start + len(words) == stop < len(text):  # it reaches the next figure, whose words it may include
        return core(take_apart(passed, unit).core)
    return _balanced(_CLOSING.sub("", passed)[:_LONGEST])


def _balanced(name: str) -> str:
    """``name`` without a quotation that is cut off."""
    return name if name.count("“") == name.count("”") else name.rpartition("“")[0] or name


def verbs(indicator: str) -> str:
    """The verbs at the beginning of an indicator: 查处 of 查处案件."""
    match = _VERBS.match(indicator)
    return match[0] if match else ""


def wants_object(indicator: str) -> bool:
    """Whether it ends with a verb, so that its object stands behind the figure: 中央财政新增*47亿元*补助资金."""
    return re.search(f"(?:{VERBS}|拿出|用好|用于|增发|发行)$", indicator) is not None


def thing(indicator: str) -> str:
    """The object of an indicator's verbs: 复议申请 of 市本级收到复议申请; all of it if there is no verb."""
    match = _VERBS.search(indicator)
    return (indicator[match.end() :] if match else "") or indicator


def is_verb(indicator: str) -> bool:
    """Whether it consists of verbs, so that their object stands before it: 受理案件20件，*办结*18件."""
    return re.fullmatch(f"(?:基本|依法)?(?:{VERBS})+(?:成功)?", indicator) is not None
