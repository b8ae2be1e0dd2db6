import { fileURLToPath } from 'node:url';

const results = 'coverage/mutation';

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: ['src/{flow,operators,relay,request,response}/**/*.ts'],
  testRunner: 'in-process',
  plugins: [fileURLToPath(new URL('runner.cjs', import.meta.url))],
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
