/* The call display of one zone: puts feed, board, stage and voice together. */

import { Notice, Queues, Rows } from "./board.js";
import { HallClock } from "./clock.js";
import { Feed, isNewer } from "./feed.js";
import { Speaker } from "./speaker.js";
import { Stage } from "./stage.js";
import { Voice } from "./voice.js";

const settings = JSON.parse(document.getElementById("settings").textContent);
const root = document.documentElement;
const byId = (id) => document.getElementById(id);
/** A hall whose ledger was set back would stay behind what is shown for ever: after this time it is taken as it is. */
const GIVE_UP_MS = 90000;
const portrait = matchMedia("(orientation: portrait)").matches;

const clock = new HallClock(settings.time_zone);
const rows = new Rows(byId("rows"), 4);
const queues = new Queues(byId("queues"), byId("waiting-page"), 6, portrait ? 414 : 408);
const notice = new Notice(byId("notice"));

let shown = null;
let board = null;
let dataAt = null;
let heardAt = null;
let outdated = false;
let server = settings.servers[0];
let voice = null;
let maySpeak = false;
let speaker = null;

const announced = new Set(JSON.parse(sessionStorage.getItem("announced") || "[]"));

const stage = new Stage({
  hero: byId("hero"),
  minimumMs: settings.minimum_call_s * 1000,
  speak,
  hurry: () => voice && voice.hurry(),
  changed: drawRows,
});

async function speak(id, firstReadingS, once) {
  if (!voice || !maySpeak) return;
  await voice.say({ address: `${server}/audio/${encodeURIComponent(id)}.wav`, firstReadingS, once });
  if (voice.failed) speaker.report();
}

function remember(callId) {
  announced.add(callId);
  sessionStorage.setItem("announced", JSON.stringify([...announced].slice(-60)));
}

function announce(call) {
  if (announced.has(call.call_id)) return;
  remember(call.call_id);
  stage.add(call);
}

function announceSpoken(announcement) {
  if (announced.has(announcement.id)) return;
  remember(announcement.id);
  notice.announce(announcement.text);
  stage.addSpoken(announcement);
}

function drawRows() {
  rows.set(board.calls, stage.current);
}

function draw(mark, fresh) {
  if (!isNewer(mark, shown)) return;
  shown = { epoch: mark.epoch, rev: mark.rev };
  board = fresh;
  catchUp();
  queues.set(board.queues);
  notice.set(board.notice.zh || "");
  if (!stage.busy && !stage.waiting.length) stage.rest(board.calls.find((call) => announced.has(call.call_id)));
  drawRows();
}

/** Word from a server: fresh unless it comes from an earlier epoch than what is shown (a leader that was replaced). */
function alive(epoch, serverTime) {
  if (shown && epoch < shown.epoch) {
    outdated = true;
    return;
  }
  outdated = false;
  heardAt = performance.now();
  dataAt = Date.parse(serverTime);
  clock.set(serverTime);
  root.dataset.state = "live";
}

/** Calls that a board names and no event told (this display was cut off) are announced if fresh, else only shown. */
function catchUp() {
  const oldest = clock.now() - settings.call_fresh_s * 1000;
  for (const call of [...board.calls].reverse()) {
    if (Date.parse(call.at) >= oldest) announce(call);
    else remember(call.call_id);
  }
}

async function renew(version) {
  if (version === settings.version || stage.busy) return;
  const page = await fetch(location.href, { cache: "no-store" }).catch(() => null);
  if (page && page.ok && !stage.busy) location.reload();
}

const feed = new Feed({
  servers: settings.servers,
  path: `/display/${settings.zone}/events`,
  silenceMs: settings.stale_after_s * 1000,
  handlers: {
    snapshot(data, from) {
      server = from;
      alive(data.epoch, data.server_time);
      draw(data, data.board);
      if (speaker) speaker.report();
      renew(data.version);
    },
    board(data) {
      alive(data.epoch, data.server_time);
      draw(data, data.board);
    },
    call(data) {
      alive(data.epoch, data.server_time);
      if (shown && data.epoch < shown.epoch) return;
      announce(data.call);
    },
    announcement(data) {
      alive(data.epoch, data.server_time);
      if (!shown || data.epoch >= shown.epoch) announceSpoken(data.announcement);
    },
    beat(data) {
      alive(data.epoch, data.server_time);
      renew(data.version);
    },
  },
});

function tick() {
  const now = clock.now();
  if (now !== null) byId("clock").textContent = clock.text(now);
  if (heardAt !== null && performance.now() - heardAt > settings.stale_after_s * 1000 && root.dataset.state !== "stale") {
    byId("stale").textContent = `数据可能已过期 · 数据来自 ${clock.text(dataAt)}`;
    root.dataset.state = "stale";
  }
  if (outdated && performance.now() - heardAt > GIVE_UP_MS) location.reload();
}

function startVoice() {
  const button = byId("sound");
  const note = byId("voice-note");
  speaker = new Speaker({
    path: `/display/${settings.zone}/speaker`,
    server: () => server,
    state: () => ({ sound: voice.sound(), waiting: stage.waiting.length, delay_s: stage.delay(), failed: voice.failed }),
    granted(yes) {
      maySpeak = yes;
      note.hidden = yes;
      note.textContent = "本区已有播音屏，本屏静音";
    },
  });
  voice = new Voice((sound) => {
    button.hidden = sound === "ok";
    if (voice) speaker.report();
  });
  document.addEventListener("click", () => voice.unblock());
}

byId("hero").dataset.mode = "connecting";
if (settings.speaker) startVoice();
function fit() {
  notice.split();
  if (stage.current) stage.fit();
}
addEventListener("resize", fit);
document.fonts.ready.then(fit);
setInterval(tick, 500);
feed.open();
