// Compares stack.net with node:net at run time and writes docs/net-compatibility.md; with --check, says
// whether the page is up to date and each difference explained. Knows how to run the comparison, which
// stands in tests/net/compatibility; must not know what is compared.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const PAGE = 'docs/net-compatibility.md';

/** The comparison as JavaScript, over the compiled product. */
function compile(directory) {
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  symlinkSync(join(ROOT, 'dist'), join(directory, 'src'));
  for (const folder of ['tests/net', 'tests/net/compatibility']) {
    mkdirSync(join(directory, folder), { recursive: true });
    for (const name of readdirSync(join(ROOT, folder))) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
      const { outputText } = ts.transpileModule(readFileSync(join(ROOT, folder, name), 'utf8'), {
        compilerOptions: {
          target: ts.ScriptTarget.ES2022,
          module: ts.ModuleKind.ESNext,
          verbatimModuleSyntax: true,
        },
      });
      writeFileSync(join(directory, folder, name.replace(/\.ts$/, '.js')), outputText);
    }
  }
  return pathToFileURL(join(directory, 'tests/net/compatibility/main.js')).href;
}

const directory = mkdtempSync(join(tmpdir(), 'finwait-net-compatibility-'));
try {
  const { compare } = await import(compile(directory));
  const { page, complaints } = await compare();
  for (const complaint of complaints) console.error(`${PAGE}: ${complaint}`);
  const file = join(ROOT, PAGE);
  if (!process.argv.includes('--check')) {
    mkdirSync(join(ROOT, 'docs'), { recursive: true });
    writeFileSync(file, page);
  } else if (!existsSync(file) || readFileSync(file, 'utf8') !== page) {
    console.error(`${PAGE} is not what the comparison says: npm run net-compatibility`);
    const written = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    const made = page.split('\n');
    for (const line of written) if (!made.includes(line)) console.error(`- ${line}`);
    for (const line of made) if (!written.includes(line)) console.error(`+ ${line}`);
    process.exitCode = 1;
  }
  if (complaints.length > 0) process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true });
}
