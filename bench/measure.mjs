// Carries out a plan: rounds, in which the contenders take turns, so that a change of the machine meets
// all of them alike. Knows servers and the client; what rows mean stands in rows.mjs.

import { Companion, findProgram, run } from './processes.mjs';
import { MEMORY_ROWS } from './rows.mjs';
import { Server } from './server.mjs';

/** Idle connections of one client: fewer than it may have descriptors. */
const IDLE_PER_CLIENT = 10_000;
const CLOSE_FIRST = 13;
/** A quarter of a full table is a full table, too. */
const FIRST_PART = 4;
const PATIENCE_SECONDS = 15;
const OPEN_MS = 120_000;
/** How long each load runs before it counts. */
const WARM_UP_SECONDS = 0.5;
const WARM_UP_SHARE = 0.5;

const [IDLE_ROW, TIME_WAIT_ROW] = MEMORY_ROWS.map(({ id }) => id);

/**
 * @param turns `{ contender, stages }` in the order of their turns
 * @param place `{ folder, client }`: what was built
 */
export async function measure(turns, options, place, results, progress) {
  for (let round = 1; round <= options.rounds; round++) {
    for (const { contender, stages } of turns) {
      const turn = new Turn(contender, options, place, results);
      const chapter = `round ${round} of ${options.rounds}, ${contender.name}`;
      await turn.run(stages, (what, seconds) => progress.step(chapter, what, seconds));
    }
  }
  progress.end();
}

/** One contender in one round. */
class Turn {
  idle = 0;
  #server;
  #holders = [];
  #empty = null;

  constructor(contender, options, place, results) {
    this.contender = contender;
    this.options = options;
    this.place = place;
    this.results = results;
    this.#server = new Server(options.pin);
  }

  /** @param tell told what comes next, and how many seconds it should take */
  async run(stages, tell) {
    try {
      await this.contender.start(this.#server, this.place.folder);
      tell('warming up', 0);
      for (const load of stages[0].loads) await this.#warmUp(load);
      for (const stage of stages) await this.#stage(stage, tell);
    } catch (error) {
      this.results.fail(this.contender.name, 'start', this.idle, error.message);
    } finally {
      await Promise.all(this.#holders.map((each) => each.stop()));
      await this.#server.stop();
    }
  }

  async #stage({ idle, loads, weigh, finished, seconds }, tell) {
    if (idle > this.idle) tell(`opening ${idle} connections`, 0);
    await this.#climb(idle);
    if (weigh) await this.#weigh();
    if (finished) await this.#weighFinished(finished);
    for (const load of loads) {
      tell(load.rows[0].label, seconds / loads.length);
      await this.#carry(load);
    }
  }

  /** Opens connections until so many are idle. */
  async #climb(count) {
    while (this.idle < count) {
      const more = Math.min(IDLE_PER_CLIENT, count - this.idle);
      const words = this.#server.idleClient(this.place.client, this.#holders.length, more);
      this.#holders.push(await Companion.start(words[0], words.slice(1), undefined, OPEN_MS));
      this.idle += more;
    }
  }

  /** First without, then with idle connections: the difference is theirs. */
  async #weigh() {
    const { bytes } = JSON.parse(await this.#server.ask('memory'));
    if (this.idle === 0) this.#empty = bytes;
    else this.#note(IDLE_ROW, (bytes - this.#empty) / this.idle, 0);
  }

  /** What the first ones take is the code that they need. */
  async #weighFinished(count) {
    const finish = (n) =>
      this.#server.load(this.place.client, ['finished', CLOSE_FIRST, n], OPEN_MS);
    const first = count / FIRST_PART;
    await finish(first);
    const before = JSON.parse(await this.#server.ask('memory'));
    await finish(count - first);
    const after = JSON.parse(await this.#server.ask('memory'));
    const records = after.timeWaits - before.timeWaits;
    this.#note(TIME_WAIT_ROW, (after.bytes - before.bytes) / records, 0);
  }

  /** What compiles its code while it runs is not measured while it does. Who fails here fails again. */
  async #warmUp(load) {
    if (load.wrk) return;
    const seconds = Math.min(this.options.seconds * WARM_UP_SHARE, WARM_UP_SECONDS);
    const closes = Math.ceil(this.options.closes * WARM_UP_SHARE);
    await this.#client(load, { seconds, closes }).catch(() => {});
  }

  /** A load that fails is told once, and the others go on. */
  async #carry(load) {
    try {
      const result = load.wrk ? await this.#wrk(load) : await this.#client(load, this.options);
      for (const row of load.rows) this.#note(row.id, row.read(result), this.idle);
      if (result.percentiles && this.idle === 0) {
        this.results.addPercentiles(load.id, this.contender.name, result.percentiles);
      }
    } catch (error) {
      this.results.fail(this.contender.name, load.id, this.idle, error.message);
    }
  }

  #client(load, options) {
    const timeoutMs = (options.seconds * 3 + PATIENCE_SECONDS) * 1000;
    return this.#server.load(this.place.client, load.client(options), timeoutMs);
  }

  async #wrk(load) {
    if (findProgram('wrk') === undefined) throw new Error('needs the Debian package wrk');
    const url = `http://${this.#server.address}/`;
    const out = await run('wrk', [...load.wrk(this.options), url]);
    const errors = /Socket errors.*|Non-2xx.*/.exec(out);
    if (errors) throw new Error(errors[0]);
    return { requests: Number(/Requests\/sec:\s*([\d.]+)/.exec(out)[1]) };
  }

  #note(row, value, idle) {
    this.results.add(row, this.contender.name, idle, Number(value.toPrecision(6)));
  }
}
