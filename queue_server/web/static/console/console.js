/* The gate between a person's hands and the server: one act at a time, with the version that this screen shows. */

const SETTLE_MS = 500;
const GIVE_UP_MS = 8000;
const SURE_MS = 3000;

let busySince = null;
let giveUp = null;
const helpsSeen = new Set();

function settled() {
  clearTimeout(giveUp);
  const left = busySince === null ? 0 : busySince + SETTLE_MS - performance.now();
  setTimeout(() => {
    busySince = null;
    document.documentElement.dataset.busy = "no";
  }, Math.max(0, left));
}

function act(button) {
  if (busySince !== null || button.disabled || document.documentElement.dataset.lost === "yes") return;
  if (button.dataset.sure && button.dataset.asked !== "yes") {
    ask(button);
    return;
  }
  busySince = performance.now();
  document.documentElement.dataset.busy = "yes";
  giveUp = setTimeout(settled, GIVE_UP_MS);
  const shown = document.querySelector("[data-seen]");
  const { act: name, version, ...about } = button.dataset;
  emitEvent("act", { ...about, act: name, seen: shown ? Number(shown.dataset.seen) : -1, version: Number(version || -1) });
}

/* What cannot be undone is asked for twice, in place, without a dialog. */
function ask(button) {
  const before = button.textContent;
  button.dataset.asked = "yes";
  button.textContent = button.dataset.sure;
  setTimeout(() => {
    delete button.dataset.asked;
    button.textContent = before;
  }, SURE_MS);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  const secondOfDouble = event.detail > 1 && !(button && button.dataset.asked);
  if (button && !secondOfDouble) act(button);
});

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const key = event.key.toUpperCase();
  if (!/^([A-Z]|ESCAPE)$/.test(key)) return;
  const selector = { H: "[data-act=help]", ESCAPE: "[data-act=close_panel]" }[key] || `[data-key="${key}"]`;
  const button = document.querySelector(selector);
  if (!button || button.offsetParent === null) return;
  event.preventDefault();
  act(button);
});

/* --- requests for help are heard once each, and flash until somebody goes */

function ring() {
  const context = new AudioContext();
  for (const [at, tone] of [[0, 880], [0.25, 660], [0.5, 880]]) {
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    oscillator.frequency.value = tone;
    gain.gain.setValueAtTime(0.2, context.currentTime + at);
    gain.gain.exponentialRampToValueAtTime(0.001, context.currentTime + at + 0.24);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(context.currentTime + at);
    oscillator.stop(context.currentTime + at + 0.25);
  }
  setTimeout(() => context.close(), 1500);
}

new MutationObserver(() => {
  let fresh = false;
  for (const help of document.querySelectorAll("[data-help-id]")) {
    fresh = fresh || !helpsSeen.has(help.dataset.helpId);
    helpsSeen.add(help.dataset.helpId);
  }
  if (fresh) ring();
}).observe(document.documentElement, { childList: true, subtree: true });

/* --- the connection: while it is lost, the page says so and takes no acts */

function watchConnection() {
  if (!window.socket) {
    setTimeout(watchConnection, 200);
    return;
  }
  const mark = (lost) => () => {
    document.documentElement.dataset.lost = lost;
    if (lost === "yes") settled();
  };
  window.socket.on("disconnect", mark("yes"));
  window.socket.on("connect", mark("no"));
}
watchConnection();
