const { join } = require('node:path');
const { projects, ...base } = require('../../jest.config.js');
const [specs] = projects;

/** The specs as they always run, with a recorder beside them.
 * @type {import('jest').Config} */
module.exports = {
  ...base,
  ...specs,
  rootDir: join(__dirname, '..', '..'),
  testMatch: ['**/*.spec.ts'],
  setupFilesAfterEnv: [join(__dirname, 'recorder.cjs')],
  moduleNameMapper: {
    '(^|/)marble-transport\\.js$': join(__dirname, 'recorded-transport.cjs'),
    ...specs.moduleNameMapper,
  },
};
