// How the tests run. Knows limits of time and of processes; must not know what is tested.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/support/left-behind.ts'],
    // Processes: signals, file descriptors, namespaces and process.exit() belong to a whole process.
    pool: 'forks',
    // Tests against the kernel start programs of their own, which want a processor too.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 15_000,
    reporters: ['default'],
  },
});
