/**
 * Tests run from TypeScript source: Node strips the types, and our packages export their sources. Only end-to-end tests
 * run the bundled programs, which are brought up to date before.
 */
// released buffers are overwritten, also in the processes that tests start (packages/shared/src/net/slab.ts)
process.env.NODE_DEBUG = 'adit-poison';

const common = {
  rootDir: import.meta.dirname,
  testEnvironment: '<rootDir>/test/support/node-realm-environment.mjs',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {},
};
export default {
  maxWorkers: 2,
  testSequencer: '<rootDir>/scripts/test-order.mjs',
  // what a file loaded stays in its worker: a worker that has grown gives way to a new one
  workerIdleMemoryLimit: '1GB',
  testTimeout: 60_000, // what hangs says so itself; this is far above what a busy machine takes
  coverageProvider: 'v8',
  collectCoverageFrom: ['packages/*/src/**/*.ts', '!**/*.test.ts'],
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/packages/*/src/**/*.test.ts',
        '<rootDir>/bench/**/*.test.ts',
        '<rootDir>/scripts/**/*.test.{ts,mjs}',
        '<rootDir>/test/soak/**/*.test.ts',
      ],
    },
    { ...common, displayName: 'contract', testMatch: ['<rootDir>/test/contract/**/*.test.ts'] },
    {
      ...common,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/e2e/**/*.test.ts'],
      globalSetup: '<rootDir>/scripts/bundle.mjs',
    },
    {
      ...common,
      displayName: 'release',
      testMatch: ['<rootDir>/test/release/**/*.test.ts'],
      globalSetup: '<rootDir>/test/release/build-once.mjs',
    },
  ],
};
