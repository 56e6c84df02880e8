/* The latest call: each announcement has the stage for its minimum time and its speech, one after another. */

import { counterWord } from "./board.js";

const FLASHES = 3;
const FLASH_MS = 400;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class Stage {
  /** `speak(call)` resolves when the call was spoken; `changed()` is called when another call has the stage. */
  constructor({ hero, minimumMs, speak, hurry, changed }) {
    this.hero = hero;
    this.minimumMs = minimumMs;
    this.speak = speak;
    this.hurry = hurry;
    this.changed = changed;
    this.waiting = [];
    this.current = null;
    this.busy = false;
  }

  /** Puts a call behind those that wait; the second reading of the one being spoken is dropped for it. */
  add(call) {
    this.waiting.push({ call, since: performance.now() });
    this.hurry();
    if (!this.busy) this.run();
  }

  /** Seconds that the first of the waiting calls has waited. */
  delay() {
    return this.waiting.length ? (performance.now() - this.waiting[0].since) / 1000 : 0;
  }

  /** Shows `call` without announcing it: what a display that joins late draws. */
  rest(call) {
    if (this.busy) return;
    if (call) this.draw(call);
    else {
      this.current = null;
      this.hero.dataset.mode = "empty";
    }
  }

  async run() {
    this.busy = true;
    while (this.waiting.length) {
      const { call } = this.waiting.shift();
      this.draw(call);
      this.hero.dataset.active = "yes";
      this.changed();
      await Promise.all([pause(this.minimumMs), this.speak(call, this.waiting.length > 0), this.flash()]);
    }
    this.hero.dataset.active = "no";
    this.busy = false;
    this.changed();
  }

  async flash() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (let n = 0; n < FLASHES; n += 1) {
      this.hero.dataset.flash = "yes";
      await pause(FLASH_MS);
      this.hero.dataset.flash = "no";
      await pause(FLASH_MS);
    }
  }

  draw(call) {
    this.current = call;
    const part = (name) => this.hero.querySelector(`#hero-${name}`);
    part("number").textContent = call.number;
    part("counter").textContent = call.counter;
    part("counter-word").textContent = counterWord(call.counter);
    const sentence = document.createElement("span");
    sentence.className = "en";
    sentence.textContent = `Ticket ${call.number}, please go to counter ${call.counter}`;
    part("sentence").replaceChildren(`请 ${call.number} 号到 ${call.counter} ${counterWord(call.counter)}`, sentence);
    this.hero.dataset.again = call.recall ? "yes" : "no";
    this.hero.dataset.call = call.call_id;
    this.hero.dataset.mode = "call";
    this.fit();
  }

  /** Long numbers and counter names are made smaller until they fit; the English sentence stays where it has room. */
  fit() {
    const line = this.hero.querySelector("#hero-line");
    line.style.transform = "none";
    const room = this.hero.clientWidth * 0.94;
    const scale = Math.min(1, room / line.scrollWidth);
    line.style.transform = scale < 1 ? `scale(${scale})` : "none";
    const english = this.hero.querySelector(".hero-sentence .en");
    english.hidden = false;
    english.hidden = english.parentElement.parentElement.scrollWidth > room;
  }
}
