/* Speech of the zone's one speaking display: plays the server's recordings, none cut, and knows when it is blocked. */

const GRACE_S = 3;
const STARTING_MS = 1500;

export class Voice {
  /** `changed(sound)` is called with `ok` or `blocked`; a browser that allows sound needs a moment to start it. */
  constructor(changed) {
    this.changed = changed;
    this.context = new AudioContext();
    this.playing = null;
    this.failed = false;
    this.starting = true;
    this.context.addEventListener("statechange", () => changed(this.sound()));
    setTimeout(() => {
      this.starting = false;
      changed(this.sound());
    }, STARTING_MS);
  }

  sound() {
    return this.context.state === "running" || this.starting ? "ok" : "blocked";
  }

  /** To be called from a person's click: only then may a browser that blocks sound begin to play. */
  unblock() {
    this.context.resume();
  }

  /** Plays the recording at `address`; resolves when its last reading was heard in full, or at once if blocked. */
  async say({ address, firstReadingS, once }) {
    this.failed = false;
    this.wanted = false;
    if (this.context.state !== "running") return;
    let recording;
    try {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(`recording: ${answer.status}`);
      firstReadingS = firstReadingS || Number(answer.headers.get("First-Reading-Seconds"));
      recording = await this.context.decodeAudioData(await answer.arrayBuffer());
    } catch {
      this.failed = true;
      await this.play(this.chime(), null, false);
      return;
    }
    await this.play(recording, firstReadingS, once || this.wanted);
  }

  /** Others wait: the reading in progress is heard to its end, and one not yet begun is dropped. */
  hurry() {
    this.wanted = true;
    const playing = this.playing;
    if (!playing || !playing.firstReadingS) return;
    const endsAt = playing.startedAt + playing.firstReadingS;
    if (this.context.currentTime < endsAt) playing.source.stop(endsAt);
  }

  play(recording, firstReadingS, once) {
    return new Promise((done) => {
      const source = this.context.createBufferSource();
      source.buffer = recording;
      source.connect(this.context.destination);
      const startedAt = this.context.currentTime;
      this.playing = { source, startedAt, firstReadingS };
      const guard = setTimeout(() => finish(true), (recording.duration + GRACE_S) * 1000);
      const finish = (failed) => {
        clearTimeout(guard);
        if (this.playing && this.playing.source === source) this.playing = null;
        this.failed = this.failed || failed;
        done();
      };
      source.onended = () => finish(false);
      source.start(startedAt);
      if (once && firstReadingS) source.stop(startedAt + firstReadingS);
    });
  }

  /** Two tones, where there is no recording: people look up and read the number. */
  chime() {
    const rate = this.context.sampleRate;
    const buffer = this.context.createBuffer(1, rate, rate);
    const samples = buffer.getChannelData(0);
    for (let n = 0; n < samples.length; n += 1) {
      const t = n / rate;
      const tone = t < 0.45 ? 784 : 622;
      samples[n] = 0.4 * Math.sin(2 * Math.PI * tone * t) * Math.exp(-3 * (t < 0.45 ? t : t - 0.45));
    }
    return buffer;
  }
}
