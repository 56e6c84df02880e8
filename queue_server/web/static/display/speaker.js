/* What the speaking display tells the server: that it lives, whether it is heard, and how far it is behind. */

const REPORT_MS = 10000;

export class Speaker {
  /** `state()` gives {sound, waiting, delay_s}; `granted(yes)` is called with the server's word on who speaks. */
  constructor({ path, server, state, granted }) {
    this.path = path;
    this.server = server;
    this.state = state;
    this.granted = granted;
    this.screen = sessionStorage.getItem("screen") || crypto.getRandomValues(new Uint32Array(2)).join("-");
    sessionStorage.setItem("screen", this.screen);
    setInterval(() => this.report(), REPORT_MS);
  }

  async report() {
    try {
      const answer = await fetch(this.server() + this.path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ screen: this.screen, ...this.state() }),
      });
      if (answer.ok) this.granted((await answer.json()).granted);
    } catch {
      // the feed shows that the server is away; what was granted stays
    }
  }
}
