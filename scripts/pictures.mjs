// Draws the pictures of README.md and docs: ladders as SVG in docs/pictures, and the debugger's screen in
// README.md, all by the lab in simulation, where the same seed gives the same bytes. With --check, says
// whether they are up to date. Knows where pictures go; must not know what is in them.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseBreakpoint } from '../dist/debug/breakpoint.js';
import { ladderLines } from '../dist/debug/ladder.js';
import { RunDebuggee } from '../dist/debug/run-debuggee.js';
import { drawScreen } from '../dist/debug/screen.js';
import { Session } from '../dist/debug/session.js';
import { Run, runScenario } from '../dist/lab/run.js';
import { scenarioNamed } from '../dist/lab/scenarios/index.js';
import { SimulatedWorld } from '../dist/lab/simulation.js';
import { ladderSvg } from '../dist/trace/ladder-svg.js';

const ROOT = new URL('..', import.meta.url);
const FOLDER = new URL('docs/pictures/', ROOT);
const README = new URL('README.md', ROOT);
const SEED = 1;
const LADDERS = [
  'active-close',
  'close-wait-leak',
  'close-with-unread-data-theirs',
  'half-close-theirs',
  'lost-final-ack',
  'passive-close',
  'simultaneous-close',
  'time-wait-old-segment',
  'time-wait-reuse',
];
/** A half-close with so many bytes as fit into a picture. */
const FEW_BYTES = 2000;
/** The debugger in the moment when all depends on one ACK. */
const SCREEN = { scenario: 'active-close', stopAt: 'state=TIME-WAIT', columns: 80, rows: 24 };
/** Around the screen in README.md. */
const MARKS = ['<!-- by `npm run pictures` -->\n```\n', '\n```\n<!-- end -->'];

const wanted = new Map();
for (const name of LADDERS) wanted.set(new URL(`${name}.svg`, FOLDER).href, await ladder(name));
wanted.set(README.href, withScreen(readFileSync(README, 'utf8'), await screen()));

if (process.argv.includes('--check')) check();
else write();

function write() {
  mkdirSync(FOLDER, { recursive: true });
  for (const [file, text] of wanted) writeFileSync(new URL(file), text);
}

function check() {
  const stale = [...wanted].filter(
    ([file, text]) => !existsSync(new URL(file)) || readFileSync(new URL(file), 'utf8') !== text,
  );
  const surplus = readdirSync(FOLDER).filter((name) => !wanted.has(new URL(name, FOLDER).href));
  const wrong = [...stale.map(([file]) => file.slice(ROOT.href.length)), ...surplus];
  if (wrong.length === 0) return;
  console.error(`${wrong.join(', ')}: not what the lab draws. npm run pictures`);
  process.exitCode = 1;
}

async function ladder(name) {
  const scenario = withFewBytes(scenarioNamed(name));
  const world = SimulatedWorld.open(scenario, { seed: SEED });
  try {
    await runScenario(scenario, world);
    return ladderSvg(world.timeline);
  } finally {
    await world.close();
  }
}

function withFewBytes(scenario) {
  const steps = scenario.steps.map((step) => {
    if (step.bytes > FEW_BYTES) return { ...step, bytes: FEW_BYTES };
    const isReceived = step.until?.received > FEW_BYTES;
    return isReceived ? { ...step, until: { ...step.until, received: FEW_BYTES } } : step;
  });
  return { ...scenario, steps };
}

async function screen() {
  const scenario = scenarioNamed(SCREEN.scenario);
  const open = async () =>
    new RunDebuggee(new Run(scenario, SimulatedWorld.open(scenario, { seed: SEED })));
  const breakpoints = [parseBreakpoint(SCREEN.stopAt)];
  const session = await Session.open({ open, simulate: null, breakpoints });
  await session.run({ name: 'continue' });
  const style = { colour: false, unicode: true };
  const lines = drawScreen(session.view, SCREEN, style, (view, width) =>
    ladderLines(view, session.events, width),
  );
  await session.close();
  return lines.map((line) => line.trimEnd()).join('\n');
}

function withScreen(text, screenText) {
  const [begin, end] = MARKS;
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end, from);
  if (from < begin.length || to < 0)
    throw new Error(`README.md has no place for the screen: ${begin}`);
  return text.slice(0, from) + screenText + text.slice(to);
}
