/* The stream of a zone: kept open for ever over a list of servers, watched, and read in order. */

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5000;

/** Whether mark `a` is newer than mark `b`; a mark is {epoch, rev}, and null is older than any. */
export function isNewer(a, b) {
  return b === null || a.epoch > b.epoch || (a.epoch === b.epoch && a.rev > b.rev);
}

/**
 * Keeps one EventSource open. The browser's own reconnection gives up on an HTTP error and never leaves a dead
 * address, so every failure closes the source here and the next server is tried.
 *
 * `handlers`: one function for each event name, called with (data, server address).
 */
export class Feed {
  constructor({ servers, path, silenceMs, handlers }) {
    this.servers = servers;
    this.path = path;
    this.silenceMs = silenceMs;
    this.handlers = handlers;
    this.turn = 0;
    this.retryMs = FIRST_RETRY_MS;
    this.source = null;
    this.watchdog = null;
  }

  open() {
    const server = this.servers[this.turn % this.servers.length];
    const source = new EventSource(server + this.path);
    this.source = source;
    for (const [name, handle] of Object.entries(this.handlers)) {
      source.addEventListener(name, (event) => {
        if (source !== this.source) return;
        this.retryMs = FIRST_RETRY_MS;
        this.watch();
        handle(JSON.parse(event.data), server);
      });
    }
    source.onerror = () => this.fail(source);
    this.watch();
  }

  watch() {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.fail(this.source), this.silenceMs);
  }

  fail(source) {
    if (source !== this.source) return;
    clearTimeout(this.watchdog);
    source.close();
    this.source = null;
    this.turn += 1;
    const jitter = 0.5 + Math.random() / 2;
    setTimeout(() => this.open(), this.retryMs * jitter);
    this.retryMs = Math.min(this.retryMs * 2, LAST_RETRY_MS);
  }
}
