// After `npm ci` and before `npm pack`: builds what is not built yet. `npx finwait` in a clone comes by as well,
// when it is called first, and should find nothing to do. Knows which file is newer; must not know what is built.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const PROGRAM = 'dist/cli/main.js';
/** For scripts: npx hands no signals on. */
const LINK = 'node_modules/.bin/finwait';

const sources = readdirSync('src', { recursive: true }).map((name) => join('src', name));
const built = existsSync(PROGRAM) ? statSync(PROGRAM).mtimeMs : 0;
const isOld = [...sources, 'package.json', 'tsconfig.json', 'tsconfig.build.json'].some(
  (path) => statSync(path).mtimeMs > built,
);
if (isOld) {
  const { status } = spawnSync('npm', ['run', 'build'], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
mkdirSync('node_modules/.bin', { recursive: true });
rmSync(LINK, { force: true });
symlinkSync(`../../${PROGRAM}`, LINK);
