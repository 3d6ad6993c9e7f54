// Builds the addon at `npm install`. Knows where the headers of Node may lie; must not know the sources.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

// node-gyp downloads the headers from nodejs.org, unless it is told where they are. A Node of
// NodeSource, of the official archives and images, or of nvm brings them along, beside `bin`.
const nodedir = join(process.execPath, '../..');
if (process.env.npm_config_nodedir === undefined && hasHeaders(nodedir)) {
  process.env.npm_config_nodedir = nodedir;
}

const builder = createRequire(import.meta.url).resolve('node-gyp-build/bin.js');
const { status } = spawnSync(process.execPath, [builder], { stdio: 'inherit' });
if (status !== 0) {
  console.error(
    'finwait: its native part could not be built. It needs g++, make and python3 ' +
      '(Debian: apt-get install g++ make python3) and the headers of Node, in ' +
      `${join(nodedir, 'include/node')} or from nodejs.org.`,
  );
}
process.exit(status ?? 1);

/** Whether they are of this very version; an older Node may have left its own behind. */
function hasHeaders(directory) {
  const header = join(directory, 'include/node/node_version.h');
  if (!existsSync(header)) return false;
  const text = readFileSync(header, 'utf8');
  const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1];
  return process.versions.node === `${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`;
}
