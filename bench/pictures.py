"""Makes the pictures of docs/: pages, files and the service, with the shipped model and invented reports.

    python bench/pictures.py                   # writes docs/*.png in some minutes, most of them for evaluation.png
    python bench/pictures.py index service     # some of them
    python bench/pictures.py --out DIR         # elsewhere, to look at them first

Runs the same commands as a user. Needs Chromium with a Chinese font, LibreOffice, Poppler's pdftoppm, and the
extras `train`, `tables`, `serve` and `dev`. The pictures of docs/sessions.md are made by bench/screenshots.py.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageOps
from pizhu.base.files import replacing_bytes
from pizhu.data.corpus.load import load_corpus
from pizhu.data.readers.office import find_office
from pizhu.data.report import Report
from pizhu.tests.support.browsing import find_chromium, launched
from pizhu.tests.support.pairs import load_pairs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "data" / "samples"
NEW = SAMPLES / "new" / "砚河市水务局2025年上半年工作总结.txt"
FONT = "Noto Serif CJK SC"
NO_ICONS = 'pdf:writer_pdf_Export:{"ExportNotes":{"type":"boolean","value":"false"}}'  # they would hide the text


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which pictures; default: {', '.join(PICTURES)}")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder for the pictures")
    args = parser.parse_args()
    if unknown := set(args.names) - set(PICTURES):
        parser.error(f"unknown picture {', '.join(sorted(unknown))}; choose from {', '.join(PICTURES)}")
    chromium = find_chromium()
    if chromium is None or find_office() is None:
        sys.exit("Chromium or LibreOffice is not installed")
    out = args.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    with launched(chromium) as browser:
        for name in args.names or PICTURES:
            with tempfile.TemporaryDirectory(prefix="pizhu-") as folder:
                PICTURES[name](browser, Path(folder), out / f"{name}.png")


# Pages ---------------------------------------------------------------------------------------------------------------


def annotated(browser: Browser, work: Path, path: Path) -> None:
    """The page of a report, showing the probabilities of a sentence."""
    pizhu(work, "annotate", NEW, "--formats", "html", "--out", "结果")
    page = opened(browser, work / "结果" / f"{NEW.stem}.html", 1360, 900)
    for _ in range(4):
        page.keyboard.press("j")
    take(page, path)


def index(browser: Browser, work: Path, path: Path) -> None:
    """The list of the reports of a run."""
    pizhu(work, "annotate", past_reports(work / "往年报告"), "--formats", "html,index", "--out", "结果")
    page = opened(browser, work / "结果" / "all" / "index.html", 1120, 640)
    take(page, path, whole=True)


def compare(browser: Browser, work: Path, path: Path) -> None:
    """The comparison of a report with the next one."""
    pair = next(pair for pair in load_pairs() if pair.id == "city-water")
    earlier = written(pair.earlier.report, work)
    later = written(pair.later.report, work)
    pizhu(work, "compare", earlier, later, "--out", "对照", "--formats", "html")
    (made,) = (work / "对照").glob("*.html")
    take(opened(browser, made, 1300, 1290), path)


def evaluation(browser: Browser, work: Path, path: Path) -> None:
    """The first sections of the shipped model's evaluation, down to its calibration."""
    pizhu(work, "evaluate", "--errors", "0", "--out", "评测")
    page = opened(browser, work / "评测" / "evaluation.html", 1280, 800)
    last = page.get_by_role("heading", name="概率是否可信").locator("xpath=ancestor::section").bounding_box()
    assert last is not None
    page.set_viewport_size({"width": 1280, "height": int(last["y"] + last["height"]) + 16})
    take(page, path)


def service(browser: Browser, work: Path, path: Path) -> None:
    """The page to drop reports on, with reports, and a file that is not a report."""
    Image.new("RGB", (8, 8)).save(work / "会议照片.png")
    with serving(work) as url:
        page = window(browser, 1480, 860)
        page.goto(url)
        for number, file in enumerate([NEW, *sorted(SAMPLES.glob("*.txt")), *sorted(SAMPLES.glob("*.html"))], 1):
            page.set_input_files("#files", file)
            page.locator("#jobs .done").nth(number - 1).wait_for()
        page.set_input_files("#files", work / "会议照片.png")
        page.get_by_text("这个文件读不了").wait_for()
        page.locator("#jobs .job").first.click()
        page.frame_locator("#view").get_by_role("heading", name=NEW.stem).wait_for()
        take(page, path)


@contextmanager
def serving(work: Path) -> Iterator[str]:
    """The address of a service that runs until the block ends."""
    command = [sys.executable, "-m", "pizhu", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=work, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


# Files ---------------------------------------------------------------------------------------------------------------


def word(browser: Browser, work: Path, path: Path) -> None:
    """A page of a .docx, and the same page coloured; LibreOffice's pages do not show its comments."""
    report = next(c.report for c in load_corpus() if c.id == "county-emergency-2022-annual-summary")
    source = work / "总结.docx"
    document(report, source)
    pizhu(work, "annotate", source, "--formats", "docx", "--out", "结果")
    before = printed(source, NO_ICONS, work / "原件", 110)[1]
    after = printed(work / "结果" / source.name, NO_ICONS, work / "批注", 110)[1]
    save(joined(trimmed(before), trimmed(after), across=True), path)


def excel(browser: Browser, work: Path, path: Path) -> None:
    """The sentences of a run, and its summary with charts."""
    pizhu(work, "annotate", past_reports(work / "往年报告"), "--formats", "xlsx-all", "--out", "结果")
    (book,) = (work / "结果" / "all").glob("*.xlsx")
    summary, _, sentences, *_ = printed(book, "pdf", work / "打印", 135)
    part = sentences.crop((0, 0, sentences.width, sentences.height * 3 // 5))
    save(joined(trimmed(part), trimmed(summary)), path)


def document(report: Report, path: Path) -> None:
    """``report`` as its authors would have typed it: a header, headings, indented paragraphs, figures in bold."""
    from docx import Document
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt, RGBColor

    made = Document()
    for name, size in (("Normal", 12), ("Title", 18), ("Heading 1", 14)):
        style = made.styles[name]
        style.font.size, style.font.color.rgb = Pt(size), RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        fonts.attrib.clear()  # a theme's fonts would override these
        for script in ("ascii", "hAnsi", "eastAsia"):
            fonts.set(qn(f"w:{script}"), FONT)
    section = made.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.header.paragraphs[0].text = "应急管理局　内部资料"
    lines = [line.strip() for line in report.text.splitlines() if line.strip()]
    headings = {s.text.strip() for s in report.sentences if s.kind == "heading"}
    made.add_paragraph(lines[0], "Title").alignment = WD_ALIGN_PARAGRAPH.CENTER
    for line in lines[1:]:
        if line in headings:
            made.add_paragraph(line, "Heading 1")
            continue
        paragraph = made.add_paragraph()
        paragraph.paragraph_format.first_line_indent = Pt(24)
        for part in re.split(r"(\d[\d.%]*)", line):
            paragraph.add_run(part).bold = part[:1].isdecimal()
    made.save(str(path))


def printed(source: Path, to: str, folder: Path, dpi: int) -> list[Image.Image]:
    """The pages that LibreOffice makes of a file."""
    office = find_office()
    assert office is not None
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [office, profile, "--headless", "--convert-to", to, "--outdir", str(folder), str(source)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    pdf = folder / f"{source.stem}.pdf"
    subprocess.run(["pdftoppm", "-r", str(dpi), "-png", str(pdf), str(folder / "page")], check=True)
    return [Image.open(page).convert("RGB") for page in sorted(folder.glob("page*.png"))]


# Reports -------------------------------------------------------------------------------------------------------------


def past_reports(folder: Path) -> Path:
    """A folder with the shipped corpus' test split as text."""
    for entry in load_corpus(split="test"):
        written(entry.report, folder, f"{entry.year}年")
    return folder


def written(report: Report, folder: Path, year: str = "") -> Path:
    """The report as a text file named after its title, with the year if the title has none."""
    title = next(s.text for s in report.sentences if s.kind == "heading")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{'' if year in title else year}{title}.txt"
    path.write_text(report.text, encoding="utf-8")
    return path


# Pictures ------------------------------------------------------------------------------------------------------------


def window(browser: Browser, width: int, height: int) -> Page:
    """An empty tab."""
    context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    context.set_default_timeout(60_000)
    return context.new_page()


def opened(browser: Browser, file: Path, width: int, height: int) -> Page:
    """One of pizhu's pages in a tab."""
    page = window(browser, width, height)
    page.goto(file.as_uri())
    return page


def take(page: Page, path: Path, top: int = 0, left: int = 0, height: int | None = None, whole: bool = False) -> None:
    """A picture of the window, of a part of it, or of the whole page."""
    picture = Image.open(BytesIO(page.screenshot(animations="disabled", full_page=whole))).convert("RGB")
    bottom = picture.height if height is None else top + height
    save(picture.crop((left, top, picture.width, bottom)), path)


def trimmed(page: Image.Image, border: int = 30) -> Image.Image:
    """The printed part of a page, without its number and with a narrow margin."""
    page = page.crop((0, 0, page.width, page.height * 15 // 16))
    box = ImageChops.difference(page, Image.new("RGB", page.size, "white")).getbbox()
    assert box is not None, "the page is empty"
    return ImageOps.expand(page.crop(box), border, "white")


def joined(*pictures: Image.Image, across: bool = False) -> Image.Image:
    """Pictures in a row or a column, on white."""
    wide, high = [picture.width for picture in pictures], [picture.height for picture in pictures]
    size = (sum(wide), max(high)) if across else (max(wide), sum(high))
    whole, at = Image.new("RGB", size, "white"), 0
    for picture in pictures:
        whole.paste(picture, (at, 0) if across else (0, at))
        at += picture.width if across else picture.height
    return whole


def save(picture: Image.Image, path: Path) -> None:
    """Save in 256 colours, which are enough for a page of text."""
    small = reduced(picture)
    with replacing_bytes(path) as file:
        small.save(file, "PNG", optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def reduced(picture: Image.Image) -> Image.Image:
    """The picture in 256 colours: keeps the frequent ones (Pillow would shift them), and approximates the rest."""
    pixels = np.asarray(picture).reshape(-1, 3)
    colors, place, counts = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    rest = picture.quantize(64, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).getpalette()
    palette = np.concatenate([colors[np.argsort(-counts)[:192]], np.reshape(rest or [], (-1, 3))])
    nearest = np.array([np.abs(palette.astype(int) - color).sum(1).argmin() for color in colors], np.uint8)
    small = Image.fromarray(nearest[place].reshape(picture.height, picture.width), "P")
    small.putpalette(palette.astype(np.uint8).tobytes())
    return small


def pizhu(folder: Path, *words: str | Path) -> None:
    """Run the command line as a user would."""
    subprocess.run([sys.executable, "-m", "pizhu", *map(str, words)], cwd=folder, check=True)


PICTURES: dict[str, Callable[..., None]] = {
    "annotated": annotated,
    "annotated-word": word,
    "annotated-excel": excel,
    "index": index,
    "service": service,
    "compare": compare,
    "evaluation": evaluation,
}


if __name__ == "__main__":
    main()
