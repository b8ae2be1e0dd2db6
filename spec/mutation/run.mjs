// npm run mutation: all of the rooms. With files named, those alone, by the specs of their own folders: minutes.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const args = process.argv.slice(2);
const files = args.filter((arg) => arg.startsWith('src/'));
const rest = args.filter((arg) => !arg.startsWith('src/'));
const stryker = createRequire(import.meta.url).resolve('@stryker-mutator/core/package.json');
const folders = new Set(files.map((file) => dirname(file).slice('src/'.length)));

spawn(
  process.execPath,
  [
    `${dirname(stryker)}/bin/stryker.js`,
    'run',
    fileURLToPath(new URL('stryker.config.mjs', import.meta.url)),
    // In milliseconds: few specs run at a time, and none of them waits.
    ...(files.length > 0 ? ['--mutate', files.join(','), '--timeoutMS', '3000'] : []),
    ...rest,
  ],
  { stdio: 'inherit', env: { ...process.env, MUTATION_ROOMS: [...folders].join(',') } },
).on('exit', (code) => {
  process.exitCode = code ?? 1;
});
