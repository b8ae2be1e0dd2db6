const { join } = require('node:path');
const base = require('../../jest.config.js');

/** The specs as they always run, with a recorder beside them.
 * @type {import('jest').Config} */
module.exports = {
  ...base,
  rootDir: join(__dirname, '..', '..'),
  setupFilesAfterEnv: [join(__dirname, 'recorder.cjs')],
  moduleNameMapper: {
    '(^|/)marble-transport\\.js$': join(__dirname, 'recorded-transport.cjs'),
    ...base.moduleNameMapper,
  },
};
