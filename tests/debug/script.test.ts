// Scripts and pipes: lines in, lines out, the same each time.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILD_MS, buildProgram, MAIN } from '../cli/program.js';

describe('lab run --step by a script', () => {
  const folder = mkdtempSync(join(tmpdir(), 'finwait-script-'));
  const script = join(folder, 'script');

  beforeAll(buildProgram, BUILD_MS);
  afterAll(() => rmSync(folder, { recursive: true }));

  function run(args: string, input = '') {
    const { FORCE_COLOR, ...env } = process.env;
    const words = `lab run ${args}`.split(' ');
    return spawnSync(process.execPath, [MAIN, ...words], { encoding: 'utf8', input, env });
  }

  function scripted(name: string, ...lines: string[]) {
    writeFileSync(script, `${lines.join('\n')}\n`);
    return run(`${name} --step --sim --script ${script}`);
  }

  it('says each moment in lines, which are the same each time', () => {
    const lines = ['break flag=FIN', 'continue', 'drop # it is lost', 'skip', 'back 2', 'continue'];
    const { status, stdout, stderr } = scripted('active-close', ...lines);
    expect([status, stderr]).toEqual([1, '']); // it stops at the FIN again, before its end
    expect(stdout).toContain('FIN,ACK is lost');
    expect(stdout).toContain('why     ours: retransmit timer ran out.');
    expect(scripted('active-close', ...lines).stdout).toBe(stdout);
    expect(stdout).not.toContain('\u001b');
  });

  it('takes the same commands from standard input', () => {
    const { stdout } = scripted('lost-fin', 'step 4', 'explain');
    expect(run('lost-fin --step --sim', 'step 4\nexplain\n').stdout).toBe(stdout);
    expect(stdout).toContain('How it is left');
  });

  it('ends with 1 where the scenario did not go as it must', () => {
    const { status, stdout } = scripted(
      'active-close',
      ...['break ours:flag=FIN', 'continue', 'unbreak all', 'inject rst', 'continue'],
    );
    expect(stdout).toContain('not as the scenario goes');
    expect(status).toBe(1);
  });

  it('ends with 1 where it is left before its end, and with 0 behind it', () => {
    expect(scripted('active-close', 'step 4', 'quit').status).toBe(1);
    expect(scripted('active-close', 'step 4').status).toBe(1);
    expect(scripted('active-close', 'continue').status).toBe(0);
  });

  it('stops at the line that fails, and names it', () => {
    const unknown = scripted('active-close', 'step', '', 'jump');
    expect(unknown.status).toBe(1);
    expect(unknown.stderr).toContain(`${script}, line 3: there is no command "jump"`);
    const refused = scripted('active-close', 'drop');
    expect(refused.stderr).toContain('line 1: nothing waits at the gate');
  });

  it('ends at such a line, though whoever writes to it does not', async () => {
    const child = spawn(process.execPath, [MAIN, 'lab', 'run', 'lost-fin', '--step', '--sim'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin.write('jump\n');
    const [code] = await once(child, 'exit');
    expect(code).toBe(1);
  });

  it('says what is wrong with its options', () => {
    const { status, stderr } = run('active-close --step --sim --break state=CLOSSED');
    expect(status).toBe(2);
    expect(stderr).toContain('did you mean CLOSED?');
    const missing = run('active-close --step --sim --script /nowhere');
    expect(missing.status).toBe(2);
    expect(missing.stderr).toContain('/nowhere');
  });
});
