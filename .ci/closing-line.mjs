// Prints how many tests passed and failed, from the report of vitest. Knows its JSON; nothing else.

import { readFileSync } from 'node:fs';

const [report, ...failedSteps] = process.argv.slice(2);
const text = readFileSync(report, 'utf8');
const { numPassedTests = 0, testResults = [] } = text === '' ? {} : JSON.parse(text);

const failedIn = ({ status, assertionResults }) => {
  const tests = assertionResults.filter((test) => test.status === 'failed').length;
  return status === 'failed' ? Math.max(tests, 1) : tests; // a file that cannot be loaded has no tests
};
const inFiles = testResults.reduce((sum, file) => sum + failedIn(file), 0);
// What belongs to no test: an error outside of all, something left behind, the end of the time.
const failed = failedSteps.includes('tests') ? Math.max(inFiles, 1) : inFiles;

const skipped = testResults.flatMap(({ name, assertionResults }) =>
  assertionResults
    .filter(({ status }) => status !== 'passed' && status !== 'failed')
    .map(({ fullName }) => `${name}: ${fullName}`),
);
if (skipped.length > 0) console.log(`Not run: ${skipped.length}\n  ${skipped.join('\n  ')}`);
console.log(`${numPassedTests} passed, ${failed} failed`);
