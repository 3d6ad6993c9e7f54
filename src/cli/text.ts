// Text for people: tables, durations, advice. Knows layout; must not know TCP.

/** Columns that are as wide as their widest cell, the last one ragged; lines end with a newline. */
export function formatTable(rows: readonly (readonly string[])[], gap = '  '): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  const format = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join(gap)
      .trimEnd();
  return rows.map((row) => `${format(row)}\n`).join('');
}

/** `1 connection`, `2 connections`. */
export function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Milliseconds as `ss` shows them: `204ms`, `58sec`, `1min59sec`, `119min`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}sec`;
  const minutes = Math.floor(seconds / 60);
  const rest = seconds % 60;
  return minutes < 10 && rest > 0 ? `${minutes}min${rest}sec` : `${minutes}min`;
}

/** The command as the user started it, for advice: `finwait`, or `node dist/cli/main.js`. */
export function programCall(): string {
  const script = process.argv[1] ?? 'finwait';
  if (process.env.npm_lifecycle_event === 'start') return 'npx finwait'; // in a clone
  if (!script.endsWith('.js'))
    return process.env.npm_command === 'exec' ? 'npx finwait' : 'finwait';
  const prefix = `${process.cwd()}/`;
  return `node ${script.startsWith(prefix) ? script.slice(prefix.length) : script}`;
}
