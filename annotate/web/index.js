"use strict";
// A click sorts by a column: numbers descending, names ascending; a second click reverses the order.
const body = document.querySelector("tbody"), rows = [...body.rows], search = document.getElementById("search");
const heads = [...document.querySelectorAll("thead th")], status = document.getElementById("status"), whole = status.textContent;
const plain = text => text.normalize("NFKC").toLowerCase();
const names = new Map(rows.map(row => [row, plain(row.cells[0].textContent)]));
const order = new Intl.Collator("zh-CN", { numeric: true });

function sort(column) {
  const head = heads[column], down = head.getAttribute("aria-sort") ? head.getAttribute("aria-sort") === "ascending" : column > 0;
  for (const other of heads) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = row => column ? +row.cells[column].textContent : names.get(row);
  const sign = down ? -1 : 1;
  const compare = column ? (a, b) => key(a) - key(b) : (a, b) => order.compare(key(a), key(b));
  body.append(...rows.sort((a, b) => sign * compare(a, b) || a.dataset.n - b.dataset.n));
}

function filter() {
  const words = plain(search.value).split(/\s+/).filter(Boolean);
  let left = 0;
  for (const row of rows) {
    row.hidden = !words.every(word => names.get(row).includes(word));
    left += !row.hidden;
  }
  status.textContent = words.length ? `筛出 ${left} 份（共 ${whole}）` : whole;
}

heads.forEach((head, column) => head.addEventListener("click", () => sort(column)));
search.addEventListener("input", filter);
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") { search.value = ""; search.blur(); filter(); }
  else if (event.key === "/" && event.target !== search) { event.preventDefault(); search.focus(); }
});
