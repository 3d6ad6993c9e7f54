// Types of statistics.mjs.
export function median(values: readonly number[]): number;
export function quantile(values: readonly number[], p: number): number;
export function summary(values: readonly number[]): { median: number; min: number; max: number };
export function differenceByChance(a: readonly number[], b: readonly number[]): number;
