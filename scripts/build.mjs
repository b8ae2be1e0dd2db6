// Builds dist/esm and dist/cjs, each with its types.
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { typescript7 } from './compilers.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

rmSync(dist, { recursive: true, force: true });
compile('tsconfig.esm.json');
compile('tsconfig.cjs.json');

// Bundlers read `sideEffects` and `browser` from the nearest package.json, and this one hides the root's.
const { sideEffects } = manifest;
const browser = { 'cross-fetch': './request/no-fetch.js' };
writeFileSync(
  join(dist, 'esm', 'package.json'),
  `${JSON.stringify({ type: 'module', sideEffects, browser }, null, 2)}\n`,
);

for (const bin of Object.values(manifest.bin)) {
  const file = join(root, bin);
  if (!readFileSync(file, 'utf8').startsWith('#!')) fail(`${bin} has no #! line, so no shell can start it.`);
  chmodSync(file, 0o755);
}

function compile(project) {
  const { status } = spawnSync(process.execPath, [typescript7, '-p', join(root, project)], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) fail(`${project} does not compile.`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
