/* Last calls, waiting queues, notice: drawn from the board's snapshot. */

const ARROW = '<svg class="arrow" viewBox="0 0 100 70" aria-hidden="true"><path d="M0 27h58V0l42 35-42 35V43H0z"/></svg>';
const PAGE_MS = 8000;
const ANNOUNCED_MS = 24000;

/** Words behind a counter's number; a counter named otherwise keeps its name. */
export function counterWord(counter) {
  return /^\d+$/.test(counter) ? "号窗口" : "窗口";
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Makes a long text smaller until it fits its place, down to two thirds. */
function shrink(place) {
  const scale = place.clientWidth / place.scrollWidth;
  if (scale < 1) place.style.fontSize = `${Math.max(scale, 0.66)}em`;
}

/** Rows of calls in fixed places: a call keeps its row while it is shown, a new one takes the oldest one's place. */
export class Rows {
  constructor(list, count) {
    this.slots = Array.from({ length: count }, () => ({ call: null, li: list.appendChild(element("li", "")) }));
    this.slots.forEach((slot) => this.draw(slot));
  }

  /** `calls`: latest first; `inHero`: the call that the hero shows. A ticket called again has one row only. */
  set(calls, inHero) {
    const key = (call) => `${call.number} ${call.counter}`;
    const taken = new Set(inHero ? [key(inHero)] : []);
    const first = calls.filter((call) => !taken.has(key(call)) && taken.add(key(call)));
    const wanted = first.slice(0, this.slots.length);
    const missing = wanted.filter((call) => !this.slots.some((slot) => slot.call && key(slot.call) === key(call)));
    const free = this.slots.filter((slot) => !slot.call || !wanted.some((call) => key(call) === key(slot.call)));
    free.forEach((slot, index) => {
      slot.call = missing[index] || null;
      this.draw(slot);
    });
  }

  draw({ call, li }) {
    li.replaceChildren();
    li.classList.toggle("empty", !call);
    const number = element("span", "number", call ? call.number : "");
    const counter = element("span", "counter", call ? call.counter : "");
    counter.append(element("i", "", call ? counterWord(call.counter) : ""));
    li.append(number);
    li.insertAdjacentHTML("beforeend", ARROW);
    li.querySelector(".arrow").classList.toggle("vacant", !call);
    li.append(counter);
  }
}

function rangeText(wait, waiting) {
  if (!wait) return "暂未开窗";
  if (waiting === 0 && wait.high === 0) return "随到随办";
  return wait.low === wait.high ? `约 ${wait.high}` : `约 ${wait.low}–${wait.high}`;
}

/** Queues with people waiting and wait range; more than fit are shown in turns. */
export class Queues {
  constructor(list, pageNote, perPage, height) {
    this.list = list;
    this.pageNote = pageNote;
    this.perPage = perPage;
    this.height = height;
    this.queues = [];
    this.page = 0;
    setInterval(() => {
      this.page += 1;
      this.draw();
    }, PAGE_MS);
  }

  set(queues) {
    this.queues = queues;
    this.draw();
  }

  draw() {
    const pages = Math.max(1, Math.ceil(this.queues.length / this.perPage));
    const each = Math.ceil(this.queues.length / pages);
    const page = this.page % pages;
    const shown = this.queues.slice(page * each, page * each + each);
    this.list.style.setProperty("--row", Math.min(110, Math.floor(this.height / Math.max(each, 1))));
    this.list.replaceChildren(...shown.map((queue) => this.row(queue)));
    this.list.querySelectorAll(".name").forEach(shrink);
    this.pageNote.textContent = pages > 1 ? `${page + 1} / ${pages}` : "";
  }

  row(queue) {
    const li = document.createElement("li");
    if (queue.colour) li.style.setProperty("--queue", queue.colour);
    const count = element("span", "count", String(queue.waiting));
    count.append(element("em", "", "人"));
    const range = element("span", "range", rangeText(queue.wait, queue.waiting));
    if (queue.wait && range.textContent.startsWith("约")) range.append(element("em", "", "分"));
    li.append(element("b", "letter", queue.prefix || ""), element("span", "name", queue.name.zh), count, range);
    return li;
  }
}

/** The words of a Chinese text; its characters, where the browser does not know words. */
function words(text) {
  if (!Intl.Segmenter) return [...text];
  return Array.from(new Intl.Segmenter("zh", { granularity: "word" }).segment(text), (each) => each.segment);
}

/** One line of notice; what does not fit is shown clause by clause, or by as many words as fit. Announcements take its place for a while. */
export class Notice {
  constructor(line) {
    this.line = line;
    this.standing = "";
    this.announcements = [];
    this.announcing = false;
    this.show("");
  }

  set(text) {
    if (text === this.standing) return;
    this.standing = text;
    if (!this.announcing) this.show(text);
  }

  /** Shows `text` in full twice over, or for 24 seconds, after those that came before it. */
  announce(text) {
    this.announcements.push(text);
    if (!this.announcing) this.next();
  }

  next() {
    const text = this.announcements.shift();
    this.announcing = text !== undefined;
    this.line.classList.toggle("announcement", this.announcing);
    this.show(this.announcing ? `广播：${text}` : this.standing);
    if (this.announcing) setTimeout(() => this.next(), Math.max(ANNOUNCED_MS, 2 * this.parts.length * PAGE_MS));
  }

  show(text) {
    this.text = text;
    clearInterval(this.turning);
    this.turning = setInterval(() => {
      this.turn += 1;
      this.draw();
    }, PAGE_MS);
    this.split();
  }

  /** Parts that fit the line; to be made anew when fonts or the window change. */
  split() {
    this.parts = [];
    for (const clause of this.text.split(/(?<=[。\uff1b;\uff01!\uff1f?\uff0c,])/)) {
      if (this.joins(clause)) continue;
      if (this.fits(clause)) this.parts.push(clause);
      else this.splitByWords(clause);
    }
    this.turn = 0;
    this.draw();
  }

  splitByWords(clause) {
    for (const word of words(clause)) if (!this.joins(word)) this.parts.push(word);
  }

  /** Puts `piece` behind the last part, if both fit the line together. */
  joins(piece) {
    const last = this.parts.length - 1;
    if (last < 0 || !this.fits(this.parts[last] + piece)) return false;
    this.parts[last] += piece;
    return true;
  }

  fits(text) {
    this.line.textContent = text;
    return this.line.scrollWidth <= this.line.clientWidth;
  }

  draw() {
    this.line.textContent = this.parts.length ? this.parts[this.turn % this.parts.length] : "";
  }
}
