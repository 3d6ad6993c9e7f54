// Builds the addon at `npm install`, unless it is there. Knows where the headers of Node may lie; must not know
// the sources.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

// `npm rebuild` wants it built again, whatever is there.
if (process.env.npm_command !== 'rebuild' && isBuilt()) process.exit();

// node-gyp downloads the headers from nodejs.org, unless it is told where they are. A Node of
// NodeSource, of the official archives and images, or of nvm brings them along, beside `bin`.
const nodedir = join(process.execPath, '../..');
if (process.env.npm_config_nodedir === undefined && hasHeaders(nodedir)) {
  process.env.npm_config_nodedir = nodedir;
}

// Else node-gyp-build is content with one that can be loaded, however old.
process.env.npm_config_build_from_source = 'true';
const builder = require.resolve('node-gyp-build/bin.js');
const { status } = spawnSync(process.execPath, [builder], { stdio: 'inherit' });
if (status !== 0) {
  console.error(
    'finwait: its native part could not be built. It needs g++, make and python3 ' +
      '(Debian: apt-get install g++ make python3) and the headers of Node, in ' +
      `${join(nodedir, 'include/node')} or from nodejs.org.`,
  );
}
process.exit(status ?? 1);

/** Whether there is one that is newer than its sources, and that this Node can load. */
function isBuilt() {
  const addon = 'build/Release/finwait.node';
  if (!existsSync(addon)) return false;
  const sources = readdirSync('native').map((name) => join('native', name));
  const built = statSync(addon).mtimeMs;
  if ([...sources, 'binding.gyp'].some((path) => statSync(path).mtimeMs > built)) return false;
  try {
    require(join(process.cwd(), addon));
    return true;
  } catch {
    return false; // of another system, or another Node
  }
}

/** Whether they are of this very version; an older Node may have left its own behind. */
function hasHeaders(directory) {
  const header = join(directory, 'include/node/node_version.h');
  if (!existsSync(header)) return false;
  const text = readFileSync(header, 'utf8');
  const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1];
  return process.versions.node === `${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`;
}
