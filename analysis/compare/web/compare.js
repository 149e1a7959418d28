"use strict";
// Filters choose within their section, several of them together; the search box in all; j and k walk through what is left.
const rows = [...document.querySelectorAll(".row")], lines = [...document.querySelectorAll("#figures tbody tr")];
const search = document.getElementById("search"), buttons = [...document.querySelectorAll("[data-filter]")];
const plain = text => text.normalize("NFKC").toLowerCase();
const texts = new Map([...rows, ...lines].map(row => [row, plain(row.textContent)]));
let here = null;

function apply() {
  const words = plain(search.value).split(/\s+/).filter(Boolean);
  for (const [row, text] of texts) {
    const on = [...row.closest("section").querySelectorAll("[data-filter][aria-pressed=true]")].map(b => b.dataset.filter);
    const chosen = !on.length || on.some(status => row.dataset.status.split(" ").includes(status));
    row.hidden = !(chosen && words.every(word => text.includes(word)));
  }
}

function walk(step) {
  const shown = rows.filter(row => !row.hidden);
  if (!shown.length) return;
  const at = shown.indexOf(here);
  if (here) here.classList.remove("here");
  here = shown[at < 0 ? 0 : Math.min(Math.max(at + step, 0), shown.length - 1)];
  here.classList.add("here");
  here.focus({ preventScroll: true });
  here.scrollIntoView({ block: "center" });
}

for (const button of buttons) button.addEventListener("click", () => {
  button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
  apply();
});
search.addEventListener("input", apply);
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    for (const button of buttons) button.setAttribute("aria-pressed", "false");
    search.value = "";
    search.blur();
    apply();
  } else if (event.target === search) return;
  else if (event.key === "j") walk(1);
  else if (event.key === "k") walk(-1);
  else if (event.key === "/") { event.preventDefault(); search.focus(); }
});
addEventListener("beforeprint", () => { for (const details of document.querySelectorAll("details")) details.open = true; });
