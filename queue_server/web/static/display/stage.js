/* The latest call: each has the stage for its minimum time and its speech, one after another; what managers say is
   spoken between two calls, and leaves the stage as it is. */

import { counterWord } from "./board.js";

const FLASHES = 3;
const FLASH_MS = 400;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class Stage {
  /** `speak(id, firstReadingS, once)` resolves when that recording was heard; `changed()` is called when another call has the stage. */
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
    if (this.busy) this.hurry();
    else this.run();
  }

  /** Puts a spoken announcement behind those that wait; no reading of a call gives way to it. */
  addSpoken(announcement) {
    this.waiting.push({ announcement, since: performance.now() });
    if (!this.busy) this.run();
  }

  callsWait() {
    return this.waiting.some((waiting) => waiting.call);
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
      const { call, announcement } = this.waiting.shift();
      if (announcement) {
        this.hero.dataset.active = "no";
        await this.speak(announcement.id, announcement.first_reading_s, this.callsWait());
        continue;
      }
      this.draw(call);
      this.hero.dataset.active = "yes";
      this.changed();
      await Promise.all([pause(this.minimumMs), this.speak(call.call_id, call.first_reading_s, this.callsWait()), this.flash()]);
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
