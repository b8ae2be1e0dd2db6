// Runs every example (examples/*.mjs, *.cjs, *.ts) as a program of its own; one that fails or hangs, fails. Then come
// the programs of the cookbook, and attacks on the backends among the examples.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { attackExamples } from './attack-examples.mjs';
import { checks } from './checks.mjs';
import { runCookbook } from './cookbook.mjs';

const timeout = 60_000;
const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'examples');
const { check, finish } = checks();

const examples = existsSync(folder)
  ? readdirSync(folder)
      .filter((file) => /^[^._].*\.(mjs|cjs|ts)$/.test(file) && !file.endsWith('.d.ts'))
      .sort()
  : [];

for (const example of examples) await check(`examples/${example}`, () => run(join(folder, example)));
await runCookbook(check);
await attackExamples(check);
finish();

function run(file) {
  if (!file.endsWith('.ts')) return start(file);
  // Beside its source, so that paths and the package's own name resolve as they do there.
  const compiled = join(folder, `.${process.pid}-${file.slice(folder.length + 1, -3)}.mjs`);
  buildSync({
    entryPoints: [file],
    outfile: compiled,
    bundle: true,
    packages: 'external',
    // The repository's paths lead to the sources; the example is to use the build, as its reader will.
    tsconfigRaw: {},
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
  });
  try {
    return start(compiled);
  } finally {
    rmSync(compiled, { force: true });
  }
}

function start(file) {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [file], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, CI: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout,
  });
  if (status !== 0) {
    const reason = signal === null ? `exit code ${status}` : `ended by ${signal} (${timeout} ms at most)`;
    throw new Error(`${reason}\n${stdout}${stderr}`);
  }
}
