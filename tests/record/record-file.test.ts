// Files and pipes that are written behind the stack's back: what is taken arrives, what is too much is
// refused, and a full disk or a reader that goes is told once.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { RecordFile } from '../../src/trace/record-file.js';
import { TraceLines } from '../../src/trace/trace-lines.js';

const folder = mkdtempSync(join(tmpdir(), 'finwait-record-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const newPath = () => join(folder, `file${++files}`);

function newPipe(): string {
  const path = newPath();
  execFileSync('mkfifo', [path]);
  return path;
}

/** So many bytes that say where they stand. */
function piece(length: number, from: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (from + i) % 251);
}

describe('a file', () => {
  it('has all that was taken, in order, whatever the pieces', async () => {
    const path = newPath();
    const file = RecordFile.open(path);
    let length = 0;
    for (let i = 0; i < 5000; i++) {
      expect(file.write(piece(i % 300, length))).toBe(true);
      length += i % 300;
      if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await file.close()).toBe(0);
    expect(Buffer.compare(readFileSync(path), piece(length, 0))).toBe(0);
  });

  it('is made anew', async () => {
    const path = newPath();
    for (const length of [1000, 10]) {
      const file = RecordFile.open(path);
      file.write(piece(length, 0));
      await file.close();
    }
    expect(readFileSync(path)).toHaveLength(10);
  });

  it('refuses what is too much, and takes again later', async () => {
    const path = newPath();
    const file = RecordFile.open(path, 1000);
    expect([
      file.write(piece(600, 0)),
      file.write(piece(600, 0)),
      file.write(piece(400, 600)),
    ]).toEqual([true, false, true]);
    while (file.waiting > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(file.write(piece(1000, 1000))).toBe(true);
    file.admitAll();
    expect(file.write(piece(10, 2000))).toBe(true);
    await file.close();
    expect(Buffer.compare(readFileSync(path), piece(2010, 0))).toBe(0);
  });

  it('says once that the disk is full, and takes nothing more', async () => {
    const file = RecordFile.open('/dev/full');
    const told: string[] = [];
    file.onfailure = (error) => told.push((error as NodeJS.ErrnoException).code!);
    file.write(piece(10, 0));
    while (told.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(file.write(piece(10, 0))).toBe(false);
    expect(await file.close()).toBe(10);
    expect(told).toEqual(['ENOSPC']);
  });
});

describe('a pipe', () => {
  it('that nobody reads cannot be opened, and nothing waits for a reader', () => {
    const path = newPipe();
    expect(() => RecordFile.open(path)).toThrow('ENXIO');
  });

  it('whose reader is slow fills up, and then loses what it says', async () => {
    const path = newPipe();
    const go = newPath();
    const line = `exec 3< ${path}; read line < ${newPipeOf(go)}; cat <&3 > ${go}.all`;
    const reader = spawn('sh', ['-c', line], { stdio: 'ignore' });
    const exited = once(reader, 'exit');
    const file = await openWhenRead(path, 100_000);
    const lines = new TraceLines((bytes) => file.write(bytes));
    for (let i = 0; i < 3000; i++) {
      const event = { kind: 'drop', reason: `number ${i}`, index: i, timeUs: i } as const;
      lines.add({ ...event, end: 'ours', connection: null, tcb: null });
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(lines.lost).toBeGreaterThan(100);
    execFileSync('sh', ['-c', `echo > ${go}.pipe`]);
    while (file.waiting > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    lines.finish();
    expect(await file.close()).toBe(0);
    await exited;
    const kept = readFileSync(`${go}.all`, 'utf8')
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text));
    const events = kept.filter(({ kind }) => kind === 'drop').length;
    const missing = kept
      .filter(({ kind }) => kind === 'lost')
      .map(({ events: count }) => count as number);
    expect(events + missing.reduce((sum, count) => sum + count, 0)).toBe(3000);
    expect(kept.at(-1)).toEqual({ kind: 'end', events: 3000, lost: lines.lost });
  });
});

/** As soon as somebody has opened the other end. */
async function openWhenRead(path: string, mostWaiting: number): Promise<RecordFile> {
  for (;;) {
    try {
      return RecordFile.open(path, mostWaiting);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function newPipeOf(name: string): string {
  execFileSync('mkfifo', [`${name}.pipe`]);
  return `${name}.pipe`;
}
