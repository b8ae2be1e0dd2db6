const { join } = require('node:path');
const jest = require('../../jest.config.js');

/** @type {import('jest').Config} */
module.exports = {
  ...jest,
  rootDir: join(__dirname, '../..'),
  // Recordings, fuzzing and the fault matrix would cost minutes for each mutant.
  testMatch: ['<rootDir>/spec/mutation/rooms.cjs'],
  // A mutant under which a test waits for ever is killed by that, and not by Stryker's clock.
  testTimeout: 10_000,
};
