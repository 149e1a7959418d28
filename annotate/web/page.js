"use strict";
// All filters apply together: the chosen labels (any or all of them), review, and every word of the search.
const by = id => document.getElementById(id);
const report = by("report"), search = by("search"), tip = by("tip");
const sentences = [...report.querySelectorAll(".s")];
const labels = [...document.querySelectorAll("[data-label]")], switches = [...document.querySelectorAll("[aria-pressed]")];
const isOn = button => button.getAttribute("aria-pressed") === "true";
const plain = text => text.normalize("NFKC").toLowerCase();
const textOf = sentence => sentence.firstElementChild.textContent;
const nameOf = button => button.querySelector("span").textContent;
const texts = new Map(sentences.map(s => [s, plain(textOf(s)).replace(/\s+/g, "")]));
let shown = sentences, here = null;

for (const s of sentences) if (s.title) {  // #tip shows it on the screen; this is for screen readers
  s.setAttribute("aria-description", s.title);
  s.removeAttribute("title");
}

function apply() {
  const chosen = labels.filter(isOn).map(b => b.dataset.label), words = plain(search.value).split(/\s+/).filter(Boolean);
  const review = isOn(by("doubted")), every = isOn(by("every"));
  const filtered = chosen.length > 0 || words.length > 0 || review;
  shown = sentences.filter(s => {
    const has = label => s.dataset.labels.split(" ").includes(label);
    return (!chosen.length || (every ? chosen.every(has) : chosen.some(has)))
      && (!review || "review" in s.dataset) && words.every(word => texts.get(s).includes(word));
  });
  const hits = new Set(shown);
  for (const s of sentences) s.classList.toggle("hit", filtered && hits.has(s));
  document.body.classList.toggle("filtering", filtered);
  report.classList.toggle("filtered", filtered);
  report.classList.toggle("only", filtered && isOn(by("only")));
  fold(filtered && isOn(by("only")));
  mark(words);
  tell();
}

function tell() {
  const place = shown.indexOf(here);
  const count = shown.length < sentences.length || document.body.classList.contains("filtering")
    ? `筛出 ${shown.length} 句，共 ${sentences.length} 句` : `共 ${sentences.length} 句`;
  by("status").textContent = place < 0 ? count : `第 ${place + 1} 句 · ${count}`;
}

// When others are hidden, a heading stays visible if a visible sentence is under it.
function fold(folded) {
  const alive = Array(7).fill(false);
  for (const block of [...report.children].reverse()) {
    const level = /^H[1-6]$/.test(block.tagName) ? +block.tagName[1] : 0;
    if (level) {
      block.hidden = folded && !alive[level];
      alive.fill(false, level);
    } else if (!block.classList.contains("furniture")) {
      const left = block.querySelector(".hit") !== null;
      block.hidden = folded && !left;
      if (left) alive.fill(true);
    }
  }
}

function mark(words) {
  if (!(window.CSS && CSS.highlights)) return;
  CSS.highlights.clear();
  if (!words.length) return;
  const ranges = [], walker = document.createTreeWalker(report, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.data.toLowerCase();
    if (text.length === node.data.length) for (const word of words)
      for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + word.length);
        ranges.push(range);
      }
  }
  CSS.highlights.set("found", new Highlight(...ranges));
}

function flip(button) {
  button.setAttribute("aria-pressed", !isOn(button));
  apply();
}

function clear() {
  for (const b of switches) if (b.id !== "every" && b.id !== "only") b.setAttribute("aria-pressed", false);
  search.value = "";
  apply();
}

function walk(step) {
  const from = here ? sentences.indexOf(here) : step > 0 ? -1 : sentences.length;
  const left = step > 0 ? shown.find(s => sentences.indexOf(s) > from) : [...shown].reverse().find(s => sentences.indexOf(s) < from);
  if (left) go(left);
}

function go(sentence) {
  sentence.focus({ preventScroll: true });
  sentence.scrollIntoView({ block: "center" });
  point(sentence);
}

function point(s) {
  tip.hidden = true;
  if (!s || !s.dataset.scores) return;
  const given = s.dataset.labels.split(" ");
  tip.replaceChildren(...s.dataset.scores.split(" ").map((score, i) => {
    const row = document.createElement("div"), name = document.createElement("span"), rail = document.createElement("u");
    const bar = document.createElement("i"), number = document.createElement("span");
    name.textContent = nameOf(labels[i]);
    number.textContent = score;
    bar.className = "t-" + labels[i].dataset.label;
    bar.style.width = score;
    rail.append(bar);
    row.append(name, rail, number);
    row.classList.toggle("given", given.includes(labels[i].dataset.label));
    return row;
  }));
  if ("review" in s.dataset) {
    const line = document.createElement("p");
    line.textContent = "模型把握不足，请人复核";
    tip.append(line);
  }
  tip.hidden = false;
  const lines = s.getClientRects(), last = lines[lines.length - 1], size = tip.getBoundingClientRect();
  const under = last.bottom + 8 + size.height < innerHeight;
  const left = Math.max(report.getBoundingClientRect().left + 8, last.right - size.width);
  tip.style.left = `${left + scrollX}px`;
  tip.style.top = `${(under ? last.bottom + 8 : lines[0].top - size.height - 8) + scrollY}px`;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {  // a page opened from a file may lack the permission
    const box = document.createElement("textarea");
    box.value = text;
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
    if (here) here.focus({ preventScroll: true });
  }
  by("status").textContent = "已复制";
  setTimeout(tell, 1500);
}

// Add an apostrophe where a spreadsheet would see a formula, with the same pattern as in CSV files.
const cell = text => `"${text.replace(/@@guard@@/gu, "'").replace(/"/g, '""')}"`;

function table() {
  const path = [], rows = new Map();
  for (const block of report.children) {
    if (/^H[2-6]$/.test(block.tagName)) path.splice(+block.tagName[1] - 2, 9, block.textContent.trim());
    for (const s of block.querySelectorAll(".s")) rows.set(s, path.filter(Boolean).join(" › "));
  }
  const kinds = labels.slice(0, -1);
  const head = ["序号", "标题", "句子", "标签", ...kinds.map(b => nameOf(b) + "概率"), "待复核"];
  const lines = shown.map(s => [
    String(sentences.indexOf(s) + 1), rows.get(s), textOf(s).replace(/\s*\n\s*/g, ""),
    kinds.filter(b => s.dataset.labels.split(" ").includes(b.dataset.label)).map(nameOf).join("、"),
    ...kinds.map((_, i) => (s.dataset.scores || "").split(" ")[i] || ""), "review" in s.dataset ? "是" : "",
  ]);
  return "\ufeff" + [head, ...lines].map(line => line.map(cell).join(",")).join("\r\n") + "\r\n";
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([table()], { type: "text/csv" }));
  link.download = document.querySelector(".name small").textContent.replace(/[\\/:*?"<>|\p{C}]/gu, "_") + ".csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const copyOne = () => here && copy(textOf(here));
for (const b of switches) b.addEventListener("click", () => flip(b));
by("clear").addEventListener("click", clear);
by("ask").addEventListener("click", () => by("help").showModal());
by("copy-one").addEventListener("click", copyOne);
by("copy-all").addEventListener("click", () => copy(shown.map(textOf).join("\n")));
by("csv").addEventListener("click", save);
by("take").addEventListener("click", event => { if (event.target.closest("div")) by("take").open = false; });
document.addEventListener("click", event => { if (!event.target.closest("#take")) by("take").open = false; });
search.addEventListener("input", apply);
search.addEventListener("keydown", event => { if (event.key === "Enter" && shown.length) { search.blur(); walk(1); } });
report.addEventListener("focusin", event => {
  if (here) here.classList.remove("here");
  here = event.target.closest(".s");
  if (here) here.classList.add("here");
  point(here);
  tell();
});
report.addEventListener("focusout", () => point(null));
report.addEventListener("mouseover", event => point(event.target.closest(".s")));
report.addEventListener("mouseleave", () => point(null));
for (const link of document.querySelectorAll("aside a")) link.addEventListener("click", event => {
  event.preventDefault();
  go(document.querySelector(link.getAttribute("href")));
});

const keys = {
  j: () => walk(1), k: () => walk(-1), ArrowRight: () => walk(1), ArrowLeft: () => walk(-1),
  "/": () => search.select(), "?": () => by("help").showModal(), c: copyOne, Escape: clear,
};
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || by("help").open) return;
  if (event.key === "Escape") { search.blur(); by("take").open = false; tip.hidden = true; }
  else if (event.target === search) return;
  const button = switches.find(b => b.dataset.key === event.key);
  const onSentence = document.activeElement.classList.contains("s");
  const act = button ? () => flip(button) : onSentence && event.key === "ArrowDown" ? keys.j
    : onSentence && event.key === "ArrowUp" ? keys.k : Object.hasOwn(keys, event.key) ? keys[event.key] : null;
  if (!act) return;
  event.preventDefault();
  act();
});

// The outline shows the reader's position.
const entries = [...document.querySelectorAll("nav a")].map(a => [a.parentElement, document.querySelector(a.getAttribute("href"))]);
let waiting = false;
addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    const passed = entries.filter(([, heading]) => heading.getBoundingClientRect().top < 160).pop() || entries[0];
    for (const [entry] of entries) entry.classList.toggle("now", passed !== undefined && entry === passed[0]);
  });
}, { passive: true });

if (matchMedia("(max-width: 60rem)").matches) for (const panel of document.querySelectorAll("nav details, aside details")) panel.open = false;
apply();
