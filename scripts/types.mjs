// Checks all types, and what browsers load without the types of Node, with both compilers.
import { spawnSync } from 'node:child_process';
import { typescript6, typescript7 } from './compilers.mjs';

for (const tsc of [typescript7, typescript6]) {
  for (const project of ['tsconfig.json', 'scripts/tsconfig/browser.json']) {
    const { status } = spawnSync(process.execPath, [tsc, '--noEmit', '-p', project], { stdio: 'inherit' });
    if (status !== 0) process.exitCode = 1;
  }
}
