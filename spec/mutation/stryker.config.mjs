const results = 'coverage/mutation';

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: ['src/{flow,operators,relay,request,response}/**/*.ts'],
  testRunner: 'jest',
  plugins: ['@stryker-mutator/jest-runner'],
  jest: {
    projectType: 'custom',
    configFile: 'spec/mutation/jest.config.cjs',
    // One file holds them all; which of its tests reach a mutant is measured.
    enableFindRelatedTests: false,
  },
  coverageAnalysis: 'perTest',
  concurrency: 1,
  // A mutant that is only slow, on a machine with other work, must not count as killed.
  timeoutMS: 20_000,
  tempDirName: `${results}/sandbox`,
  ignorePatterns: ['coverage', 'dist', 'bench', 'examples', 'docs'],
  reporters: ['clear-text', 'html', 'json'],
  clearTextReporter: { logTests: false, reportTests: false },
  htmlReporter: { fileName: `${results}/mutation.html` },
  jsonReporter: { fileName: `${results}/mutation.json` },
  incrementalFile: `${results}/incremental.json`,
  thresholds: { high: 95, low: 90, break: 85 },
};
