import { defineConfig } from 'vitest/config';

const slow = { testTimeout: 120_000, hookTimeout: 600_000, fileParallelism: false };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{kernel,lab,conformance,soak}/**'],
          // No test is judged by its time: other work on the machine must not fail one.
          testTimeout: 60_000,
        },
      },
      { test: { name: 'kernel', include: ['test/kernel/**/*.test.ts'], ...slow } },
      { test: { name: 'conformance', include: ['test/conformance/**/*.test.ts'], ...slow } },
      { test: { name: 'soak', include: ['test/soak/**/*.test.ts'], ...slow } },
      { test: { name: 'lab', include: ['test/lab/**/*.test.ts'], ...slow } },
    ],
  },
});
