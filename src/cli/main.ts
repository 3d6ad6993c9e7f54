#!/usr/bin/env node
// Where the program starts. Knows which Node it needs; must import nothing that an older one lacks.

const OLDEST = [20, 19];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < OLDEST[0]! || (major === OLDEST[0] && minor < OLDEST[1]!)) {
  process.stderr.write(
    `finwait: this is Node ${process.versions.node}; finwait needs ${OLDEST.join('.')} or newer\n` +
      '  fix: install a newer Node (https://nodejs.org)\n',
  );
  process.exitCode = 3;
} else {
  const { runProgram } = await import('./program.js');
  process.exitCode = await runProgram(process.argv.slice(2));
}
