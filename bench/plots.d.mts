// Types of plots.mjs.
import type { Results } from './results.mjs';

export function plot(results: Results): [name: string, svg: string][];
