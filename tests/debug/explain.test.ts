// What can be explained, and how it reads.

import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { explain, explainable, UnknownWord } from '../../src/debug/explain.js';
import { explainLines, formatExplanations } from '../../src/debug/explain-text.js';
import { GLOSSARY } from '../../src/lab/glossary.js';
import { BUILD_MS, buildProgram, MAIN } from '../cli/program.js';

const { states, events, words, scenarios } = explainable();

describe('every word', () => {
  const all = [...states, ...events, ...words, ...scenarios];

  it.each(all)('%s is explained, in lines of any width', (word) => {
    for (const columns of [60, 80, 200]) {
      const lines = formatExplanations(explain(word), false, columns);
      expect(lines[0]).toContain(word);
      expect(lines.length).toBeGreaterThan(3);
      const widest = Math.min(columns, 80);
      for (const line of lines) expect([line, line.length <= widest]).toEqual([line, true]);
      expect(lines.join('')).not.toContain('…');
    }
  });

  it.each(['fin-wait-2', 'FIN_WAIT_2', 'FINWAIT2', 'FinWait2'])('%s is FIN-WAIT-2', (word) => {
    expect(explain(word)).toMatchObject([{ kind: 'state', name: 'FIN-WAIT-2' }]);
  });

  it.each([
    ['estab', 'ESTABLISHED'],
    ['SYN_RECV', 'SYN-RECEIVED'],
    ['rcv_fin', 'rcv FIN'],
    ['Active Close', 'active-close'],
  ])('%s is %s', (word, name) => {
    expect(explain(word)).toMatchObject([{ name }]);
  });

  it.each([
    ['CLOSE', 'event CLOSE'],
    ['close', 'event CLOSE'],
    ['CLOSED', 'state CLOSED'],
    ['closed', 'state CLOSED'],
    ['abort', 'event ABORT'],
    ['TIME_WAIT', 'state TIME-WAIT'],
    ['RST', 'word RST'],
    ['fin', 'word FIN'],
    ['2msl', 'word 2MSL'],
    ['retransmission', 'word retransmit'],
    ['keep-alive', 'word keepalive'],
    ['timer', 'word timers'],
    ['Connection reset by peer', 'word ECONNRESET'],
    ['half-close', 'word half-close, scenario half-close'],
  ])('%s is %s, and nothing else', (word, expected) => {
    const found = explain(word).map(({ kind, name }) => `${kind} ${name}`);
    expect(found.join(', ')).toBe(expected);
  });

  it.each([
    ['last-akc', 'LAST-ACK'],
    ['half-cloze', 'half-close'],
    ['elephant', null],
  ])('%s is unknown; %s may be meant', (word, suggestion) => {
    expect(() => explain(word)).toThrow(UnknownWord);
    try {
      explain(word);
    } catch (error) {
      expect((error as UnknownWord).suggestion).toBe(suggestion);
    }
  });
});

describe('a state', () => {
  it('comes with the ways into it and out of it, and their sections', () => {
    const [explanation] = explain('CLOSE-WAIT');
    if (explanation?.kind !== 'state') throw new Error('it is none');
    expect(explanation.reached).toMatchObject([{ from: 'ESTABLISHED', event: 'rcv FIN' }]);
    const ways = explanation.left.map(({ event, to }) => `${event}: ${to}`);
    expect(ways).toContain('CLOSE: LAST-ACK');
    for (const { section } of [...explanation.reached, ...explanation.left]) {
      expect(section).toMatch(/RFC|tcp\(7\)/);
    }
    expect(explanation.scenarios).toContain('close-wait-leak');
  });

  it('is explained for both ends at once in the debugger, and once where both are the same', () => {
    const at = (ours: string, theirs: string) =>
      explainLines(null, { ours: { state: ours }, theirs: { state: theirs } }).join('\n');
    expect(at('FIN-WAIT-1', 'CLOSE-WAIT')).toMatch(/^ FIN-WAIT-1\n(?:.*\n)* CLOSE-WAIT\n/);
    expect(at('CLOSING', 'CLOSING').match(/^ CLOSING$/gm)).toEqual([' CLOSING']);
    expect(at('CLOSED', 'not seen')).toMatch(/^ CLOSED/);
  });
});

describe('the glossary', () => {
  it.each(GLOSSARY.map((note) => [note.name, note] as const))(
    'says of %s what is true, where that stands, and only names what there is',
    (_, note) => {
      expect(note.section).toMatch(/RFC \d+ §\d|[a-z]\([2-7]\)/);
      const sentences = note.meaning.split(/(?<=[.:]) /).length;
      expect([note.name, sentences >= 2 && note.meaning.endsWith('.')]).toEqual([note.name, true]);
      expect(states).toEqual(expect.arrayContaining([...note.states]));
      expect(events).toEqual(expect.arrayContaining([...note.events]));
      expect(scenarios).toEqual(expect.arrayContaining([...note.scenarios]));
    },
  );

  it('has no word twice', () => {
    const all = GLOSSARY.flatMap(({ name, aliases }) => [name, ...aliases]);
    const keys = all.map((word) => word.toLowerCase());
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('finwait explain', () => {
  beforeAll(buildProgram, BUILD_MS);

  function finwait(args: string[], env: NodeJS.ProcessEnv = {}) {
    const { FORCE_COLOR, NO_COLOR, ...rest } = process.env;
    return spawnSync(process.execPath, [MAIN, ...args], {
      encoding: 'utf8',
      env: { ...rest, ...env },
    });
  }

  it('explains a word, as text and as JSON', () => {
    const text = finwait(['explain', 'time_wait']);
    expect(text.stdout).toMatch(/^ TIME-WAIT\n/);
    expect(text.stdout).toContain('RFC 9293 §3.10.7.4');
    expect(text.status).toBe(0);
    const json = finwait(['explain', 'rcv', 'FIN', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject([{ kind: 'event', name: 'rcv FIN' }]);
  });

  it('lists what there is', () => {
    const { stdout } = finwait(['explain']);
    for (const word of ['CLOSE-WAIT', 'timeout 2MSL', 'EADDRINUSE', 'lost-final-ack']) {
      expect(stdout.replaceAll(/\n /g, ' ')).toContain(word);
    }
    expect(JSON.parse(finwait(['explain', '--json']).stdout)).toEqual(explainable());
  });

  it('suggests what was meant', () => {
    const { status, stderr } = finwait(['explain', 'last-akc']);
    expect(stderr).toContain('did you mean finwait explain LAST-ACK?');
    expect(status).toBe(2);
  });

  it('has colour only where it is wanted', () => {
    expect(finwait(['explain', 'CLOSED']).stdout).not.toContain('\u001b');
    expect(finwait(['explain', 'CLOSED'], { FORCE_COLOR: '1' }).stdout).toContain('\u001b[1m');
    expect(finwait(['explain', 'CLOSED'], { NO_COLOR: '1' }).stdout).not.toContain('\u001b');
  });
});
