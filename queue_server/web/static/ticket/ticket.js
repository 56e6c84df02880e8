/* Keeps the ticket page true: asks again as often as the server says, calls its holder by vibration and flash, sends the rating. */

const FLASHES = 3;
const FLASH_MS = 400;
const LAST_RETRY_S = 30;
const RATING_LIMIT_MS = 10_000;

const root = document.documentElement;
const body = document.body;
const byId = (id) => document.getElementById(id);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

let etag = "";
let call = body.dataset.call;
let pollS = Number(body.dataset.poll);
let failures = 0;
let timer = null;

async function flash() {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (let n = 0; n < FLASHES; n += 1) {
    root.dataset.flash = "yes";
    await pause(FLASH_MS);
    root.dataset.flash = "no";
    await pause(FLASH_MS);
  }
}

function draw(now) {
  root.dataset.state = now.state;
  for (const [id, text] of [["headline", now.headline], ["hint", now.hint], ["ahead", now.ahead], ["wait", now.wait], ["made-at", now.made_at], ["counter", now.counter], ["seat", now.seat], ["rated", now.rated]]) {
    if (byId(id).textContent !== text) byId(id).textContent = text;
  }
  if (now.call && now.call !== call) {
    if (navigator.vibrate) navigator.vibrate([400, 200, 400, 200, 400]);
    flash();
  }
  call = now.call;
  pollS = now.poll_s;
  byId("rate").hidden = !now.may_rate;
  byId("rating").hidden = !now.may_rate && !now.rated;
}

async function rate(event) {
  event.preventDefault();
  const form = event.target;
  const level = Number(new FormData(form).get("level"));
  const button = form.querySelector("button");
  const said = byId("rating-said");
  button.disabled = true;
  said.textContent = "";
  const late = new AbortController();
  const limit = setTimeout(() => late.abort(), RATING_LIMIT_MS);
  try {
    const answer = await fetch(`${location.pathname}/rating?lang=${body.dataset.lang}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ level }),
      signal: late.signal,
    });
    if (answer.ok || answer.status === 409) {
      const now = await answer.json();
      draw(now);
      if (!answer.ok && now.rated) said.textContent = form.dataset.stands;
    } else {
      said.textContent = form.dataset.later;
    }
  } catch {
    said.textContent = form.dataset.away;
  }
  clearTimeout(limit);
  said.scrollIntoView({ block: "nearest" });
  button.disabled = false;
}

async function ask() {
  clearTimeout(timer);
  try {
    const headers = etag ? { "If-None-Match": etag } : {};
    const answer = await fetch(`${location.pathname}/now?lang=${body.dataset.lang}`, { headers, cache: "no-store" });
    if (answer.status === 404) {
      location.reload();
      return;
    }
    if (answer.status !== 304) {
      if (!answer.ok) throw new Error(String(answer.status));
      etag = answer.headers.get("ETag") || "";
      draw(await answer.json());
    }
    failures = 0;
  } catch {
    failures += 1;
  }
  byId("away").hidden = failures < 2;
  plan();
}

function plan() {
  clearTimeout(timer);
  if (pollS === 0) return;
  const seconds = failures ? Math.min(LAST_RETRY_S, 2 ** failures) : pollS;
  timer = setTimeout(ask, seconds * 1000 * (0.8 + 0.4 * Math.random()));
}

byId("rate").addEventListener("submit", rate);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && pollS) ask();
});
plan();
