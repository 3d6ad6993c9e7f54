// What the user of a program has to know that does not know of us. Knows how Node warns.

const warned = new Set<string>();

/** Says it once. */
export function warn(words: string): void {
  if (warned.has(words)) return;
  warned.add(words);
  process.emitWarning(words, 'FinwaitWarning');
}
