// The page of the comparison, and what is wrong with it. Knows Markdown; must not know how rows came about.

import type { Difference } from './differences.js';
import { differs, nameOf, type Row } from './rows.js';

/** What a difference is called in a link. */
const anchor = (title: string) =>
  title
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

const cell = (text: string) =>
  text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll('\n', ' ');
const code = (text: string) =>
  text === '—' || text === '' ? text : `\`${cell(text).replaceAll('`', "'")}\``;

function tableOf(rows: readonly Row[], reasonOf: (row: Row) => Difference | undefined): string {
  const lines = rows.map((row) => {
    const reason = reasonOf(row);
    const why = reason === undefined ? '' : `[${reason.title}](#${anchor(reason.title)})`;
    const ours = differs(row) ? code(row.ours) : 'the same';
    return `| ${code(row.name)} | ${code(row.node)} | ${ours} | ${why} |`;
  });
  return ['| | `node:net` | `stack.net` | why |', '|---|---|---|---|', ...lines].join('\n');
}

function reasonText({ title, why, rows }: Difference): string {
  const names = new Set(rows.map((row) => `\`${cell(row.slice(row.indexOf(': ') + 2))}\``));
  return `### ${title}\n\n${why}\n\nRows: ${[...names].join(', ')}.`;
}

export interface Judged {
  readonly page: string;
  /** Differences that nobody explains, and explanations of what is no difference. */
  readonly complaints: readonly string[];
}

export function judge(rows: readonly Row[], differences: readonly Difference[]): Judged {
  const reasons = new Map(
    differences.flatMap((one) => one.rows.map((name) => [name, one] as const)),
  );
  const different = new Set(rows.filter(differs).map(nameOf));
  const complaints = [
    ...rows
      .filter((row) => differs(row) && !reasons.has(nameOf(row)))
      .map(
        (row) =>
          `not explained: ${nameOf(row)}\n    node:net:  ${row.node}\n    stack.net: ${row.ours}`,
      ),
    ...[...reasons.keys()]
      .filter((name) => !different.has(name))
      .map((name) => `explained, but there is no such difference (any more): ${name}`),
  ];
  const sections = [...new Set(rows.map(({ section }) => section))].map((section) => {
    const own = rows.filter((row) => row.section === section);
    const others = own.filter(differs).length;
    const sum = `${own.length} compared, ${others === 0 ? 'all the same' : `${others} different`}.`;
    return `## ${section}\n\n${sum}\n\n${tableOf(own, (row) => reasons.get(nameOf(row)))}`;
  });
  const page = `<!-- Written by \`npm run net-compatibility\` from tests/net/compatibility. -->

# \`stack.net\` and \`node:net\`

\`stack.net\` has the shape of Node 20's \`node:net\`. This page compares both as they are when they run: what
they export, what their classes and objects have, what each option does with fifteen kinds of values, which
errors wrong calls throw, and which events are seen in which order in ${rows.filter(({ section }) => section.startsWith('Events')).length} exchanges,
each made over the kernel's loopback, over a stack that talks to itself, and over two stacks on a link.
Of ${rows.length} rows ${different.size} differ; each of them has its reason. A difference without a reason, and a reason
without a difference, fail the check in CI.

## The differences, and why

${differences.map(reasonText).join('\n\n')}

${sections.join('\n\n')}
`;
  return { page, complaints };
}
