/** @type {import('jest').Config} */
module.exports = {
  roots: ['<rootDir>/spec'],
  testMatch: ['**/*.spec.ts'],
  testEnvironment: 'node',
  // How long a busy machine takes decides nothing.
  testTimeout: 300_000,
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
  coverageProvider: 'v8',
  // The command line runs as a process of its own, where coverage does not see it.
  collectCoverageFrom: ['src/**/*.ts', '!src/cli/**'],
  coverageThreshold: {
    global: { lines: 95, branches: 90 },
  },
};
