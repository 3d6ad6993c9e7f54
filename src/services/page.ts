// The front page of the web server, as text and as HTML. Knows words and markup; must not know HTTP.

import type { Fact } from './describe.js';

/** What the web server answers to; also the list of a 404. */
export const ROUTES: readonly Fact[] = [
  ['GET /', 'this page: the connection that carries it'],
  ['GET /bytes/N', 'N bytes, the same each time, as fast as they go'],
  ['POST /sha256', 'the length and SHA-256 of what you send'],
];

const LEAD = 'This page came to you over a TCP that runs in user space, written in TypeScript.';

function table(facts: readonly Fact[]): string {
  const width = Math.max(...facts.map(([label]) => label.length));
  return facts.map(([label, value]) => `  ${label.padEnd(width)}  ${value}\n`).join('');
}

/** The list of routes, as text. */
export function routesText(): string {
  return table(ROUTES);
}

/** The front page for curl. */
export function textPage(facts: readonly Fact[]): string {
  return `${LEAD}\n\nYour connection\n${table(facts)}\nTry\n${table(ROUTES)}`;
}

const STYLE = `
  :root { color-scheme: light dark; --line: #8884; --soft: #888; --accent: #0a7c66; }
  @media (prefers-color-scheme: dark) { :root { --accent: #5fd4b8; } }
  body { font: 16px/1.55 system-ui, sans-serif; max-width: 46rem; margin: 8vh auto; padding: 0 1.5rem; }
  h1 { font-size: 2.4rem; letter-spacing: -0.03em; margin: 0; }
  h1 span, a { color: var(--accent); }
  h2 { font-size: 0.8rem; letter-spacing: 0.1em; text-transform: uppercase; color: var(--soft); margin: 2.5rem 0 0.5rem; }
  table { width: 100%; border-collapse: collapse; }
  th, td { padding: 0.45rem 0; border-top: 1px solid var(--line); vertical-align: top; text-align: left; }
  th { width: 9rem; font-weight: 500; color: var(--soft); }
  td, code { font-family: ui-monospace, monospace; font-size: 0.88rem; }
`;

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function rows(facts: readonly Fact[]): string {
  return facts
    .map(([label, value]) => `<tr><th>${escapeHtml(label)}</th><td>${escapeHtml(value)}</td></tr>`)
    .join('\n');
}

/** The front page for a browser. */
export function htmlPage(facts: readonly Fact[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>finwait</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<h1>fin<span>wait</span></h1>
<p>${LEAD} Reload it, and the figures move.</p>
<h2>Your connection</h2>
<table>
${rows(facts)}
</table>
<h2>Try</h2>
<table>
${rows(ROUTES)}
</table>
<p><a href="/bytes/1000000">A million bytes</a></p>
</body>
</html>
`;
}
