// A page with the plots and the table, and each plot as a file of its own. Knows HTML and files; must not
// know how plots are drawn.

import { writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { plot } from './plots.mjs';
import { tableHead, tableNotes, tableSections } from './table.mjs';

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 sans-serif; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
figure { margin: 2rem 0; }
svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; margin: 1.5rem 0; }
th, td { padding: 0.1rem 0.8rem 0.1rem 0; text-align: right; font-weight: normal; }
th { border-bottom: 1px solid; }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
th:first-child { font-weight: bold; }
`;

/**
 * Writes the page beside the file of the results, and the plots as SVG.
 * @returns the names of the files
 */
export function writeReport(results, file) {
  const plots = plot(results);
  const page = join(dirname(file), `${basename(file, '.json')}.html`);
  writeFileSync(page, renderPage(results, plots));
  const pictures = plots.map(([name, svg]) => {
    const picture = join(dirname(file), `${name}.svg`);
    writeFileSync(picture, `${svg}\n`);
    return picture;
  });
  return [page, ...pictures];
}

function renderPage(results, plots) {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>finwait: benchmarks</title>
<style>${STYLE}</style>
<h1>finwait: benchmarks</h1>
<p>${tableHead(results).map(escapeHtml).join('<br>')}</p>
${plots.map(([, svg]) => `<figure>${svg}</figure>`).join('\n')}
${tableSections(results).map(renderSection).join('\n')}
<ul>${tableNotes(results)
    .map((note) => `<li>${escapeHtml(note)}</li>`)
    .join('')}</ul>
</html>
`;
}

function renderSection([head, ...lines]) {
  const row = (cells, tag) =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>\n${[row(head, 'th'), ...lines.map((line) => row(line, 'td'))].join('\n')}\n</table>`;
}

function escapeHtml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
