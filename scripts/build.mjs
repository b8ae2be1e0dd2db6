// Builds dist/esm and dist/cjs, each with its types.
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { typescript7 } from './compilers.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** What bundlers for browsers take in the place of what. */
const browser = { './request/fallback-fetch.js': './request/no-fetch.js' };

rmSync(dist, { recursive: true, force: true });
compile('esm');
compile('cjs');
await joinModules(join(dist, 'esm'));

// Bundlers read `sideEffects` and `browser` from the nearest package.json, and this one hides the root's.
const { sideEffects } = manifest;
writeFileSync(
  join(dist, 'esm', 'package.json'),
  `${JSON.stringify({ type: 'module', sideEffects, browser }, null, 2)}\n`,
);

for (const bin of Object.values(manifest.bin)) {
  const file = join(root, bin);
  if (!readFileSync(file, 'utf8').startsWith('#!')) fail(`${bin} has no #! line, so no shell can start it.`);
  chmodSync(file, 0o755);
}

function compile(format) {
  const project = join(root, 'scripts', 'tsconfig', `${format}.json`);
  const { status } = spawnSync(process.execPath, [typescript7, '-p', project], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) fail(`The ${format} build does not compile.`);
}

/**
 * Puts the modules of each entry into one file, and what entries share into further ones: Node takes its time
 * for every ECMAScript module it loads, whatever its size. What bundlers for browsers replace stays a file of
 * its own. The types stay as they are.
 */
async function joinModules(folder) {
  const mapped = Object.entries(browser)
    .flat()
    .map((file) => join(folder, file));
  const entries = Object.values(manifest.exports).flatMap((entry) => entry.import?.default ?? []);
  const { metafile } = await build({
    entryPoints: entries,
    absWorkingDir: root,
    outdir: folder,
    outbase: folder,
    allowOverwrite: true,
    bundle: true,
    splitting: true,
    chunkNames: 'shared-[hash]',
    format: 'esm',
    platform: 'neutral',
    packages: 'external',
    external: ['node:*', ...mapped],
    target: 'es2022',
    sourcemap: true,
    // The package holds src/ beside dist/.
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
  });
  const written = new Set(Object.keys(metafile.outputs).map((path) => resolve(root, path)));
  for (const file of mapped) written.add(file).add(`${file}.map`);
  for (const file of readdirSync(folder, { recursive: true })) {
    const path = join(folder, file);
    if (/\.js(?:\.map)?$/.test(path) && !written.has(path)) rmSync(path);
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
