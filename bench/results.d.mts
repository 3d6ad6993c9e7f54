// Types of results.mjs.
export interface Figures {
  row: string;
  contender: string;
  idle: number;
  values: number[];
}

export class Results {
  static read(file: string): Results;
  readonly data: {
    machine: Record<string, string | number>;
    results: Figures[];
    failures: { contender: string; load: string; idle: number; reason: string }[];
    [part: string]: unknown;
  };
  constructor(data: Record<string, unknown>);
  write(file: string): void;
  add(row: string, contender: string, idle: number, value: number): void;
  find(row: string, contender: string, idle?: number): Figures | undefined;
  median(row: string, contender: string, idle?: number): number | undefined;
}
