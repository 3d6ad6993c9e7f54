// What is compared, as rows of text. Knows what a row is; must not know what is in it.

/** One thing that node:net and the stack have, do or say; equal texts mean: the same. */
export interface Row {
  /** Heading under which it stands. */
  readonly section: string;
  /** Unique within its section. */
  readonly name: string;
  readonly node: string;
  readonly ours: string;
}

/** What is not there. */
export const NOTHING = '—';

export const differs = (row: Row): boolean => row.node !== row.ours;

/** `section: name`, by which a justification names a row. */
export const nameOf = (row: Row): string => `${row.section}: ${row.name}`;

/** A row for each name that one of both has, in order. */
export function rowsOf(
  section: string,
  node: ReadonlyMap<string, string>,
  ours: ReadonlyMap<string, string>,
): Row[] {
  const names = [...new Set([...node.keys(), ...ours.keys()])].sort((a, b) => (a < b ? -1 : 1));
  return names.map((name) => ({
    section,
    name,
    node: node.get(name) ?? NOTHING,
    ours: ours.get(name) ?? NOTHING,
  }));
}
