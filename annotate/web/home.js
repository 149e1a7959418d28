"use strict";
// Each file is a row; a few are uploaded at a time. File names and the service's messages are text, never markup.
const by = id => document.getElementById(id), facts = JSON.parse(document.body.dataset.facts);
const AT_ONCE = Math.min(3, facts.max_requests), TRIES = 8;
const queue = [];
let running = 0, secret = "", shown = null, asking = null;

const REASONS = {
  400: "这次上传没有成功", 401: "口令不对", 413: `文件太大，上限 ${facts.mb} MB`, 422: "这个文件读不了", 500: "服务出了故障",
  501: "服务缺少读这种文件的组件", 503: "服务正忙，请稍后重试", 504: "处理超时，请拆分后重试",
};

function make(tag, className, text = "") {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

function add(file) {
  const job = { file, tries: 0, row: make("li", ""), button: make("button", "job"), line: make("small", ""), bar: make("progress", "") };
  const away = make("button", "away", "✕");
  job.button.type = away.type = "button";
  away.setAttribute("aria-label", `移去 ${file.name}`);
  away.addEventListener("click", () => remove(job));
  job.button.append(make("bdi", "", file.name.replace(/[\p{Cc}\p{Cf}]/gu, "")), job.line);
  job.button.addEventListener("click", () => job.page ? show(job) : again(job));
  job.bar.max = 1;
  job.bar.setAttribute("aria-label", "上传");
  job.row.append(job.button, away, job.bar);
  by("jobs").append(job.row);
  again(job);
}

function again(job) {
  job.row.className = "";
  job.button.disabled = true;
  job.bar.hidden = false;
  job.bar.value = 0;
  say(job, "等候");
  queue.push(job);
  next();
}

function next() {
  while (running < AT_ONCE && queue.length) send(queue.shift());
}

const say = (job, text) => { job.line.textContent = text; };

function send(job) {
  if (!job.file.size) return fail(job, "文件是空的");
  if (job.file.size > facts.mb * 2 ** 20) return fail(job, REASONS[413]);
  running += 1;
  const request = job.request = new XMLHttpRequest();
  const began = performance.now();
  request.open("POST", `annotate?format=json&page=true&name=${encodeURIComponent(job.file.name.toWellFormed ? job.file.name.toWellFormed() : job.file.name)}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  if (secret) request.setRequestHeader("Authorization", `Bearer ${secret}`);
  request.upload.onprogress = event => {
    job.bar.value = event.loaded / event.total;
    say(job, `上传 ${Math.round(100 * job.bar.value)}%`);
  };
  request.upload.onload = () => { job.bar.removeAttribute("value"); say(job, "批注中…"); };
  request.onload = () => { ended(job); answered(job, request, (performance.now() - began) / 1000); };
  request.onerror = () => { ended(job); fail(job, "连不上服务，或者读不到这个文件；点击重试"); };
  request.onabort = () => ended(job);
  request.send(job.file);
}

function ended(job) {
  running -= 1;
  job.request = null;
  next();
}

async function answered(job, request, seconds) {
  let body = {};
  try { body = JSON.parse(request.responseText); } catch { /* the status says enough */ }
  if (request.status === 200) return done(job, body, seconds);
  if (request.status === 503 && job.tries++ < TRIES) {
    const wait = Number(request.getResponseHeader("Retry-After")) || 2;
    say(job, `服务正忙，${wait} 秒后再试`);
    job.timer = setTimeout(() => again(job), 1000 * wait);
  } else if (request.status === 401 && await ask(request)) again(job);
  else fail(job, `${REASONS[request.status] || "没有成功"}${body.error ? `：${body.error}` : ""}`);
}

// One prompt for all the rows that wait for the secret; "" if the user enters none.
function ask() {
  asking ??= new Promise(resolve => {
    by("lock").addEventListener("close", () => {
      secret = by("secret").value.trim();
      by("secret").value = "";
      asking = null;
      resolve(secret);
    }, { once: true });
    by("lock").showModal();
  });
  return asking;
}

function fail(job, reason) {
  job.row.className = "failed";
  job.button.disabled = false;
  job.bar.hidden = true;
  say(job, reason);
  next();
}

function done(job, body, seconds) {
  job.row.className = "done";
  job.button.disabled = false;
  job.bar.hidden = true;
  job.name = body.doc;
  job.page = URL.createObjectURL(new Blob([body.page], { type: "text/html" }));
  job.lines = URL.createObjectURL(new Blob([body.records.map(r => JSON.stringify(r) + "\n").join("")], { type: "application/jsonl" }));
  job.line.replaceChildren(`${body.sentences} 句`);
  for (const [name, title] of Object.entries(facts.labels)) if (name !== "none" && body.counts[name])
    job.line.append(make("b", `t-${name}`, `${title} ${body.counts[name]}`));
  job.line.append(body.review ? `待复核 ${body.review} · ${seconds.toFixed(1)} 秒` : `${seconds.toFixed(1)} 秒`);
  if (!shown) show(job);
}

function show(job) {
  if (shown) shown.row.classList.remove("here");
  shown = job;
  by("right").hidden = !job;
  document.querySelector("main").classList.toggle("split", job !== null);
  if (!job) return;
  job.row.classList.add("here");
  by("shown").textContent = job.name;
  by("view").src = by("open").href = by("as-html").href = job.page;
  by("as-html").download = `${job.name}.html`;
  by("as-jsonl").href = job.lines;
  by("as-jsonl").download = `${job.name}.jsonl`;
}

function remove(job) {
  clearTimeout(job.timer);
  if (queue.includes(job)) queue.splice(queue.indexOf(job), 1);
  if (job.request) job.request.abort();
  job.row.remove();
  for (const url of [job.page, job.lines]) if (url) URL.revokeObjectURL(url);
  if (shown === job) show(null);
}

by("files").addEventListener("change", () => {
  for (const file of by("files").files) add(file);
  by("files").value = "";
});
let depth = 0;  // entering a child comes before leaving its parent
addEventListener("dragenter", () => by("drop").classList.toggle("over", ++depth > 0));
addEventListener("dragleave", () => by("drop").classList.toggle("over", --depth > 0));
addEventListener("dragover", event => event.preventDefault());
addEventListener("drop", event => {
  event.preventDefault();
  depth = 0;
  by("drop").classList.remove("over");
  for (const file of event.dataTransfer.files) add(file);
});
