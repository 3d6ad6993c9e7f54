// Ladders for other programs: Mermaid's language held against its grammar, SVG as XML, JSON as data. Must
// not know how rungs are made.

import { describe, expect, it } from 'vitest';
import { SCENARIOS } from '../../src/lab/scenarios/index.js';
import { ladderJson } from '../../src/trace/ladder-json.js';
import { ladderMermaid } from '../../src/trace/ladder-mermaid.js';
import { ladderSvg } from '../../src/trace/ladder-svg.js';
import { ladderText } from '../../src/trace/ladder-text.js';
import { segment, sends, timelineFrom, timelineOf } from './runs.js';

const NAMES = SCENARIOS.map(({ name }) => name);

// Of Mermaid's sequenceDiagram.jison: an actor has none of these characters, a text ends at `;`, `#` (but
// for codes of characters) and the end of the line.
const ACTOR = '[A-Za-z][A-Za-z0-9]*';
const TEXT = '(?:[^#;\\n]|#\\d+;)+';
const STATEMENTS = [
  new RegExp(`^participant (${ACTOR}) as ${TEXT}$`),
  new RegExp(`^Note (?:left|right) of (${ACTOR}): ${TEXT}$`),
  new RegExp(`^Note over (${ACTOR}),(${ACTOR}): ${TEXT}$`),
  new RegExp(`^(${ACTOR})(?:->>|-x|-\\))(${ACTOR}): ${TEXT}$`),
];

/** The statements of a diagram; throws where one is not of the language, or names an unknown actor. */
function parseMermaid(text: string): string[] {
  const [first, ...rest] = text.trimEnd().split('\n');
  if (first !== 'sequenceDiagram') throw new Error(`begins with ${first}`);
  const actors = new Set<string>();
  return rest.map((line) => {
    const statement = line.trim();
    const match = STATEMENTS.map((pattern) => pattern.exec(statement)).find(
      (found) => found !== null,
    );
    if (match === undefined || match === null) throw new Error(`not a statement: ${statement}`);
    for (const actor of match.slice(1)) {
      if (statement.startsWith('participant')) actors.add(actor!);
      else if (!actors.has(actor!)) throw new Error(`nobody is called ${actor}: ${statement}`);
    }
    return statement;
  });
}

/** Elements of an XML text, with their attributes; throws where it is not well-formed. */
function parseXml(text: string): { name: string; attributes: string }[] {
  const open: string[] = [];
  const elements: { name: string; attributes: string }[] = [];
  const pattern = /<(\/?)([a-z]+)((?: [a-zA-Z0-9:-]+="[^"<&]*")*)(\/?)>|([^<]+)/gy;
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    at = match.index + match[0].length;
    const [, closes, name, attributes, alone, content] = match;
    if (content !== undefined) {
      if (/&(?!amp;|lt;|gt;)/.test(content)) throw new Error(`a bare &: ${content}`);
    } else if (closes === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> at ${at}`);
    } else {
      elements.push({ name: name!, attributes: attributes! });
      if (alone === '') open.push(name!);
    }
  }
  if (at !== text.length || open.length > 0)
    throw new Error(`ends within ${open.join(' ')} at ${at}`);
  return elements;
}

describe('Mermaid', () => {
  it.each(NAMES)('%s is a sequence diagram', async (name) => {
    expect(parseMermaid(ladderMermaid(await timelineOf(name))).length).toBeGreaterThan(5);
  });

  it('has the sender’s state before the arrow and the receiver’s after it', async () => {
    const statements = parseMermaid(ladderMermaid(await timelineOf('active-close')));
    const fin = statements.indexOf('ours->>theirs: FIN,ACK seq 1 ack 1');
    expect(statements.slice(fin - 1, fin + 2)).toEqual([
      'Note left of ours: FIN-WAIT-1',
      'ours->>theirs: FIN,ACK seq 1 ack 1',
      'Note right of theirs: CLOSE-WAIT',
    ]);
  });

  it('shows what is lost as an arrow with a cross', async () => {
    const statements = parseMermaid(ladderMermaid(await timelineOf('lost-final-ack')));
    expect(statements.filter((line) => line.includes('-x'))).toEqual([
      'ours-xtheirs: ACK seq 2 ack 2',
    ]);
  });

  it('is not broken by texts with characters of its own', () => {
    const timeline = timelineFrom([
      sends('out', 'SYN', 1, 0),
      { kind: 'drop', reason: 'a; b # c\nd' },
    ]);
    const statements = parseMermaid(
      ladderMermaid(timeline, { names: { ours: 'a#1', theirs: 'b;' } }),
    );
    expect(statements).toContain('Note left of ours: dropped: a#59; b #35; c d');
    expect(statements[0]).toBe('participant ours as a#35;1 10.9.0.2:80');
  });

  it('has columns of their own for each connection', async () => {
    const text = ladderMermaid(await timelineOf('close-wait-leak'));
    const participants = parseMermaid(text).filter((line) => line.startsWith('participant'));
    expect(participants.length).toBeGreaterThan(2);
    expect(new Set(participants).size).toBe(participants.length);
  });
});

describe('SVG', () => {
  it.each(NAMES)('%s is well-formed, and needs nothing from elsewhere', async (name) => {
    const svg = ladderSvg(await timelineOf(name));
    const elements = parseXml(svg);
    expect(elements[0]!.name).toBe('svg');
    expect(new Set(elements.map((element) => element.name))).not.toContain('script');
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|url\(|@import|href/);
    const bottom = Number(/height="(\d+)"/.exec(svg)![1]);
    const lowest = elements.flatMap(({ attributes }) => [
      ...attributes.matchAll(/ y[12]?="([\d.]+)"/g),
    ]);
    expect(Math.max(...lowest.map((match) => Number(match[1])))).toBeLessThan(bottom);
  });

  it('has every label that the text has, and colours for light and dark pages', async () => {
    const timeline = await timelineOf('simultaneous-close');
    const svg = ladderSvg(timeline);
    expect(svg.match(/>FIN,ACK seq 1 ack 1</g)).toHaveLength(2);
    for (const state of ['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT']) {
      const count = (text: string) => text.split(state).length;
      expect([state, count(svg)]).toEqual([state, count(ladderText(timeline))]);
    }
    expect(svg).toContain('@media (prefers-color-scheme:dark)');
  });

  it('gives a run a head that is broader than its line, which ends within the head', () => {
    const data = Array.from({ length: 9 }, (_, i) => sends('out', 'ACK', 100 + i * 9, 500, 9));
    const svg = ladderSvg(timelineFrom(data));
    const end = Number(/x2="([\d.]+)"[^>]*class="arrow run"/.exec(svg)![1]);
    const [, back, side, at] = /L-([\d.]+) -([\d.]+) .*translate\(([\d.]+)/.exec(svg)!.map(Number);
    const thick = Number(/\.run\{stroke-width:(\d+)/.exec(svg)![1]);
    expect(side! * 2).toBeGreaterThan(2 * thick);
    expect(end).toBeGreaterThan(at! - back!);
    // There the head is at least as broad as the line.
    expect(((at! - end) / back!) * side! * 2).toBeGreaterThanOrEqual(thick);
  });

  it('shows what waits as an arrow to the gate', () => {
    const fin = segment('out', 'FIN,ACK', 100, 500);
    const timeline = timelineFrom([
      sends('out', 'ACK', 100, 500),
      {
        kind: 'release',
        direction: 'out',
        segment: segment('out', 'ACK', 100, 500),
        origin: 'sent',
      },
      sends('out', 'FIN,ACK', 100, 500),
    ]);
    const svg = ladderSvg(timeline);
    expect(svg).toContain('(waits)');
    expect(svg.match(/ Z"/g)).toHaveLength(1);
    expect(ladderMermaid(timeline)).toContain('ours-xtheirs: FIN,ACK seq 1 ack 1 (waits)');
    expect(ladderJson(timeline).ladders[0]!.rungs[1]).toMatchObject({
      segment: fin,
      fate: 'waits',
    });
  });

  it('escapes what XML takes for its own', () => {
    const timeline = timelineFrom([
      sends('out', 'SYN', 1, 0),
      { kind: 'drop', reason: '<script> & "so"' },
    ]);
    expect(() => parseXml(ladderSvg(timeline))).not.toThrow();
    expect(ladderSvg(timeline)).toContain('dropped: &lt;script&gt; &amp; "so"');
  });
});

describe('JSON', () => {
  it('is plain data that says what the text says', async () => {
    const data = ladderJson(await timelineOf('lost-final-ack'));
    const again = JSON.parse(JSON.stringify(data)) as typeof data;
    expect(again).toEqual(data);
    const rungs = again.ladders[0]!.rungs;
    const lost = rungs.filter((rung) => rung.kind === 'segment' && rung.fate === 'lost');
    expect(lost).toMatchObject([{ direction: 'out', label: 'ACK seq 2 ack 2' }]);
    const fin = rungs.find((rung) => rung.kind === 'segment' && rung.ours === 'FIN-WAIT-1');
    expect(fin).toMatchObject({ theirs: 'CLOSE-WAIT', segment: { flags: 'FIN,ACK', length: 0 } });
  });
});
