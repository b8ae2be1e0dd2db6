/**
 * What `npm run test:long` runs and `npm test` does not: each of these repeats what a shorter spec states, over every
 * byte, recording, seed or peer. `npx jest PATH` finds a spec wherever it belongs.
 */
const long = [
  '**/spec/{peers,properties,redis,reliability}/**/*.spec.ts',
  '**/spec/conformance/{chunk-pattern,recordings,recordings-over-http}.spec.ts',
  '**/spec/**/*.long.spec.ts',
];

/** @type {import('jest').Config} */
const specs = {
  roots: ['<rootDir>/spec'],
  testEnvironment: 'node',
  transform: {
    '^.+\\.m?[jt]s$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // Packages that are ECMAScript modules and nothing else.
  transformIgnorePatterns: ['/node_modules/(?!arktype/|arkregex/|@ark/|@angular/)'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^rxjs-chat-completions$': '<rootDir>/src/index.ts',
    '^rxjs-chat-completions/(.*)$': '<rootDir>/src/$1/index.ts',
  },
};

/** @type {import('jest').Config} */
module.exports = {
  projects: [
    {
      ...specs,
      displayName: 'short',
      testMatch: ['**/*.spec.ts', ...long.map((glob) => `!${glob}`)],
    },
    { ...specs, displayName: 'long', testMatch: long },
  ],
  // How long a busy machine takes decides nothing.
  testTimeout: 300_000,
  coverageProvider: 'v8',
  // The command line runs as a process of its own, where coverage does not see it.
  collectCoverageFrom: ['src/**/*.ts', '!src/cli/**'],
  coverageThreshold: {
    global: { lines: 95, branches: 90 },
  },
};
