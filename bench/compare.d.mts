// Types of compare.mjs.
import type { Results } from './results.mjs';

export interface Change {
  row: string;
  contender: string;
  idle: number;
  change: number;
  verdict: 'slower' | 'faster' | 'same' | 'unsure';
}

export function compare(before: Results, after: Results): Change[];
export function renderComparison(before: Results, after: Results): { text: string; slower: number };
