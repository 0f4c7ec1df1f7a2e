import { defineConfig } from 'vitest/config';

const slow = { testTimeout: 120_000, hookTimeout: 600_000, fileParallelism: false };

export default defineConfig({
  test: {
    projects: [
      {
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/{kernel,lab,conformance}/**'] },
      },
      { test: { name: 'kernel', include: ['test/kernel/**/*.test.ts'], ...slow } },
      { test: { name: 'conformance', include: ['test/conformance/**/*.test.ts'], ...slow } },
      { test: { name: 'lab', include: ['test/lab/**/*.test.ts'], ...slow } },
    ],
  },
});
