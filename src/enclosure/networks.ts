// Which private networks there are, and who is in them. Knows /proc; must not know what they are for.

import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * In the environment of all programs in such a network: the number of the process that has asked for it.
 * It tells people and programs where they are.
 */
export const MARK = 'FINWAIT_NETWORK';

/** How long programs may take to end that are asked to. */
const GRACE_MS = 2000;
const LOOK_MS = 20;

/** A network that `runProgram` has made, with programs in it. */
export interface PrivateNetwork {
  /** The process that has been there longest. */
  readonly pid: number;
  /** Its command line. */
  readonly command: readonly string[];
  /** Number of the process outside that has asked for it, and waits for its end. */
  readonly mark: string;
}

interface Inhabitant {
  readonly pid: number;
  readonly network: string;
  /** Clock ticks since the machine was started. */
  readonly started: number;
  /** What it says of its network, '' if nothing. */
  readonly mark: string;
}

/** The namespace of a process, such as `net:[4026531840]`; '' where it is gone, or not for us to see. */
export function namespaceOf(pid: number | 'self', kind: 'net' | 'user'): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return '';
  }
}

/**
 * Whether this process was started by `runProgram` in a network of its own. A variable may be left over from
 * somewhere else: the network must be another one than that of the parent, which waits outside, where we may not
 * always see it.
 */
export function isInside(): boolean {
  const asked = process.env[MARK] === String(process.ppid);
  return asked && namespaceOf(process.ppid, 'net') !== namespaceOf('self', 'net');
}

/** Those of this user besides the one that we are in, the oldest first. */
export function privateNetworks(): PrivateNetwork[] {
  const uid = process.getuid!();
  const marked = inhabitants().filter(({ pid, mark }) => mark !== '' && ownerOf(pid) === uid);
  const founders = new Map<string, Inhabitant>();
  // A program in there may have made further ones, as the lab does: those are its own.
  for (const each of marked.sort((a, b) => a.started - b.started || a.pid - b.pid)) {
    if (!founders.has(each.mark)) founders.set(each.mark, each);
  }
  const here = namespaceOf('self', 'net');
  return [...founders.values()]
    .filter(({ network }) => network !== here)
    .map(({ pid, mark }) => ({ pid, mark, command: commandOf(pid) }));
}

/**
 * Ends all programs in the network of this process but this one. Only for a process that was inside (isInside)
 * when it began: its parent may have ended since.
 */
export async function endOthersHere(): Promise<void> {
  const here = namespaceOf('self', 'net');
  if (here === namespaceOf(1, 'net')) return; // that of the machine, whatever was believed
  await end(({ pid, network }) => network === here && pid !== process.pid);
}

/** Ends what still runs in the network that the process of this number has asked for. */
export function endAllOf(mark: string): Promise<void> {
  const here = namespaceOf('self', 'net');
  return end((each) => each.mark === mark && each.network !== here);
}

/** They are told that their terminal is gone, and killed two seconds later. */
async function end(isMeant: (each: Inhabitant) => boolean): Promise<void> {
  const signal = (...names: NodeJS.Signals[]) => {
    const meant = inhabitants().filter(isMeant);
    for (const { pid } of meant) for (const name of names) tell(pid, name);
    return meant.length;
  };
  const deadline = performance.now() + GRACE_MS;
  let left = signal('SIGHUP', 'SIGCONT'); // who is stopped hears nothing
  while (left > 0) {
    await sleep(LOOK_MS);
    left = performance.now() < deadline ? signal() : signal('SIGKILL');
  }
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** All processes that we may look at. */
function inhabitants(): Inhabitant[] {
  return readdirSync('/proc').flatMap((name) =>
    Number(name) > 0 ? (lookAt(Number(name)) ?? []) : [],
  );
}

function ownerOf(pid: number): number | undefined {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
}

function lookAt(pid: number): Inhabitant | null {
  const network = namespaceOf(pid, 'net');
  if (network === '') return null;
  // The name in parentheses may hold anything; of what follows, proc(5), the 22nd field is its beginning.
  const fields = read(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ');
  const mark = read(pid, 'environ')
    .split('\0')
    .find((entry) => entry.startsWith(`${MARK}=`));
  const started = Number(fields[19]);
  return { pid, network, started, mark: mark?.slice(MARK.length + 1) ?? '' };
}

function commandOf(pid: number): string[] {
  return read(pid, 'cmdline').split('\0').slice(0, -1);
}

/** '' of what is gone. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
