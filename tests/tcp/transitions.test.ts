// The table of transitions: every row is reached by real segments and calls, and nothing else is.

import { describe, expect, it } from 'vitest';
import { CLOSED, ESTABLISHED, STATE_NAMES, SYN_SENT } from '../../src/tcp/state.js';
import { TRANSITIONS, transitionFor } from '../../src/tcp/transitions.js';
import { SECOND } from '../stack/host.js';
import {
  activelyEstablished,
  closeWait,
  closing,
  established,
  finWait1,
  finWait1Queued,
  finWait2,
  lastAck,
  STAGES,
  type Stage,
  simultaneousSynReceived,
  synReceived,
  synSent,
  timeWait,
} from './states.js';
import { rowName, Watcher } from './watcher.js';

/** Rows that no connection makes, and why they are in the table. */
const OUTSIDE_OF_CONNECTIONS: Record<string, string> = {
  'CLOSED --passive OPEN--> LISTEN': 'a listener is an object of its own, without a TCB',
  'LISTEN --CLOSE--> CLOSED': 'a listener is an object of its own, without a TCB',
};

type Scenario = (stage: Stage) => void;
const abort: Scenario = ({ connection }) => connection.abort();
const reset: Scenario = ({ peer }) => void peer.send({ flags: 'R' });
const silence: Scenario = ({ peer }) => void peer.pass(3600 * SECOND);
const refused: Scenario = ({ peer }) => peer.unreachable(3);

/** Where a connection stands, and what is done to it then. */
const SCENARIOS: [name: string, from: (options?: object) => Stage, then: Scenario][] = [
  ['active open', activelyEstablished, () => {}],
  ['passive open', established, () => {}],
  ['simultaneous open', simultaneousSynReceived, ({ peer }) => peer.send()],
  ['another SYN in SYN-RECEIVED', synReceived, ({ peer }) => peer.send({ flags: 'S' })],
  ['refused', synSent, ({ peer }) => peer.send({ flags: 'R.' })],
  ['shutdown before anything was written', simultaneousSynReceived, closeNow],
  ['close() in SYN-SENT', synSent, ({ connection }) => connection.close()],
  ['normal close', finWait2, ({ peer }) => peer.send({ flags: 'F.' })],
  ['FIN and ACK in one', finWait1, ({ peer }) => peer.send({ flags: 'F.' })],
  ['simultaneous close', closing, ({ peer }) => peer.send()],
  ['passive close', lastAck, ({ peer }) => peer.send()],
  ['2MSL', timeWait, ({ peer }) => peer.pass(61 * SECOND)],
  [
    'reopened',
    timeWait,
    ({ peer }) => {
      peer.send({ flags: 'S', seq: peer.nxt + 100_000, ack: 0 });
    },
  ],
  [
    'orphan in FIN-WAIT-2',
    finWait2,
    ({ connection, peer }) => {
      connection.close();
      peer.pass(61 * SECOND);
    },
  ],
  [
    'orphan in FIN-WAIT-1',
    finWait1,
    ({ connection, peer }) => {
      connection.close();
      peer.send();
      peer.pass(61 * SECOND);
    },
  ],
  [
    'the listener goes away',
    synReceived,
    ({ core, peer }) => {
      for (const listener of core.listeners()) listener.close();
      peer.listen();
    },
  ],
  ['unreachable in SYN-SENT', synSent, refused],
  ['unreachable in SYN-RECEIVED', synReceived, refused],
  ...ends('abort', abort, Object.values(STAGES)),
  ...ends('reset', reset, Object.values(STAGES)),
  ...ends('silence', silence, [...Object.values(STAGES), unacknowledged(established)]),
  ...ends('silence behind data', silence, [unacknowledged(closeWait)]),
  ['keep-alive without answer', finWait2, keepAlive],
  ['keep-alive in FIN-WAIT-2 after FIN', finWait1Queued, keepAlive],
];

function ends(
  name: string,
  then: Scenario,
  stages: ((options?: object) => Stage)[],
): typeof SCENARIOS {
  return stages.map((stage, i) => [`${name} ${i}`, stage, then]);
}

function closeNow({ connection, peer }: Stage): void {
  connection.shutdown();
  peer.listen();
}

function keepAlive({ connection, peer }: Stage): void {
  connection.setKeepAlive(true, 1000, 1000, 2);
  peer.pass(3600 * SECOND);
}

/** The same state, with something sent that nobody acknowledges. */
function unacknowledged(stage: (options?: object) => Stage): (options?: object) => Stage {
  return (options) => {
    const made = stage(options);
    made.connection.write(new Uint8Array(100));
    made.peer.listen();
    return made;
  };
}

/** Plays all scenarios; answers the rows that were seen, and where first. */
function playAll(): Map<string, string> {
  const seen = new Map<string, string>();
  for (const [name, stage, then] of SCENARIOS) {
    const probe = new Watcher();
    const made = stage({ core: { probe } });
    then(made);
    made.peer.listen();
    for (const row of probe.rows) if (!seen.has(row)) seen.set(row, name);
  }
  return seen;
}

const seen = playAll();
const table = new Set(TRANSITIONS.map(rowName));

describe('each row of the table', () => {
  it.each([...table])('%s', (row) => {
    if (row in OUTSIDE_OF_CONNECTIONS) expect(seen.has(row)).toBe(false);
    else expect(seen.get(row), 'no scenario leads over this row').toBeDefined();
  });

  it('stands there once, with its section and a reason', () => {
    expect(table.size).toBe(TRANSITIONS.length);
    for (const { section, why } of TRANSITIONS) {
      expect(section).toMatch(/§\d|Linux/);
      expect(why).toMatch(/^[A-Z].*\.$/s);
    }
  });
});

describe('no other change of state', () => {
  it('was seen', () => {
    expect([...seen.keys()].filter((row) => !table.has(row))).toEqual([]);
  });

  it('can be made: it is a defect of ours, and throws', () => {
    expect(transitionFor(SYN_SENT, 'rcv RST', CLOSED).section).toContain('3.10.7.3');
    expect(() => transitionFor(ESTABLISHED, 'rcv ACK of FIN', CLOSED)).toThrowError(
      'no transition from ESTABLISHED to CLOSED on rcv ACK of FIN',
    );
    expect(() => transitionFor(CLOSED, 'rcv SYN', ESTABLISHED)).toThrowError('no transition');
  });

  it('than those of RFC 9293 Figure 5 leads on without an end of the connection', () => {
    // Figure 5, with CLOSE in SYN-RECEIVED; what ends a connection is not in the figure.
    const figure5 = [
      'CLOSED LISTEN',
      'CLOSED SYN-SENT',
      'LISTEN SYN-RECEIVED',
      'SYN-SENT SYN-RECEIVED',
      'SYN-SENT ESTABLISHED',
      'SYN-RECEIVED ESTABLISHED',
      'SYN-RECEIVED FIN-WAIT-1',
      'ESTABLISHED FIN-WAIT-1',
      'ESTABLISHED CLOSE-WAIT',
      'FIN-WAIT-1 FIN-WAIT-2',
      'FIN-WAIT-1 CLOSING',
      'FIN-WAIT-1 TIME-WAIT',
      'FIN-WAIT-2 TIME-WAIT',
      'CLOSING TIME-WAIT',
      'CLOSE-WAIT LAST-ACK',
    ];
    const ours = TRANSITIONS.filter(({ to }) => to !== CLOSED);
    const names = ours.map(({ from, to }) => `${STATE_NAMES[from]} ${STATE_NAMES[to]}`);
    expect([...new Set(names)].sort()).toEqual(figure5.sort());
  });
});

describe('each stage stands in the state of its name', () => {
  it.each(Object.entries(STAGES))('%s', (name, stage) => {
    const { core, connection, peer } = stage();
    expect(connection.stateName).toBe(name.replace(/ .*/, ''));
    const { localAddress, localPort, remoteAddress, remotePort } = connection;
    const state = core.stateOf(localAddress, localPort, remoteAddress, remotePort);
    expect(STATE_NAMES[state]).toBe(connection.stateName);
    expect(peer.listen()).toEqual([]);
  });
});
