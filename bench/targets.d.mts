// Types of targets.mjs.
import type { Results } from './results.mjs';

export interface Verdict {
  row: string;
  contender: string;
  idle: number;
  reference: string | null;
  ratio: number;
  target: number;
  met: boolean;
}

export function judge(results: Results): Verdict[];
