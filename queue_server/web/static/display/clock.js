/* The hall's time, from the server's clock: a television's own clock and zone are often wrong. */

export class HallClock {
  constructor(timeZone) {
    const base = { timeZone, hour12: false };
    this.time = new Intl.DateTimeFormat("zh-CN", { ...base, hour: "2-digit", minute: "2-digit" });
    this.offset = null;
  }

  /** `serverTime`: RFC 3339. The largest offset seen lately had the shortest way and is kept. */
  set(serverTime) {
    const offset = Date.parse(serverTime) - performance.now();
    const drifted = this.offset === null || Math.abs(offset - this.offset) > 2000;
    this.offset = drifted ? offset : Math.max(offset, this.offset);
  }

  /** Milliseconds of the Unix epoch, or null before the first word of the server. */
  now() {
    return this.offset === null ? null : performance.now() + this.offset;
  }

  text(instant) {
    return this.time.format(instant);
  }
}
