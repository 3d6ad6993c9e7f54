// Tells on stderr how far a long run is. Knows terminals and time; must not know what is being done.

const QUIET_SECONDS = 30;

/** A run of steps that take about `seconds` each: one changing line on a terminal, else one a chapter. */
export class Progress {
  #expected;
  #done = 0;
  #started = performance.now();
  #chapter = '';
  #stream;

  constructor(expectedSeconds, stream = process.stderr) {
    this.#expected = expectedSeconds;
    this.#stream = stream;
  }

  /** A step begins; `seconds` is what it was expected to take. */
  step(chapter, what, seconds) {
    if (this.#stream.isTTY) {
      this.#stream.write(`\r\x1b[K${this.#percent()} %  ${chapter}: ${what}${this.#left()}`);
    } else if (this.#chapter !== chapter && this.#expected > QUIET_SECONDS) {
      this.#stream.write(`${this.#percent()} %  ${chapter}\n`);
    }
    this.#chapter = chapter;
    this.#done += seconds;
  }

  /** Something that should stay on the screen. */
  note(text) {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K');
    this.#stream.write(`${text}\n`);
  }

  end() {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K');
  }

  #percent() {
    return String(Math.floor((100 * this.#done) / this.#expected)).padStart(2);
  }

  /** From how long what is done has taken, so that slow machines are told the truth. */
  #left() {
    const seconds = (performance.now() - this.#started) / 1000;
    if (this.#done === 0 || seconds < 5) return '';
    const left = (seconds * (this.#expected - this.#done)) / this.#done;
    return left > 90 ? `, ${Math.round(left / 60)} min left` : `, ${Math.ceil(left)} s left`;
  }
}
