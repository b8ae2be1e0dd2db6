// Runs the fault matrix and prints its result; `--write` puts it into docs/reliability.md. Fails where a
// rule was broken.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'spec', 'reliability');
const file = join(root, 'docs', 'reliability.md');

// Beside its source, so that packages resolve as they do there.
const bundle = join(folder, `.${process.pid}-fault-matrix.cjs`);
buildSync({
  entryPoints: [join(folder, 'fault-table.ts')],
  outfile: bundle,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'cjs',
  logLevel: 'silent',
});
let module;
try {
  module = (await import(pathToFileURL(bundle))).default;
} finally {
  rmSync(bundle, { force: true });
}

const { FaultMatrix, reportMarks } = module;
const matrix = new FaultMatrix();
const report = await matrix.report();
console.log(report);
const violations = await matrix.violations();
for (const violation of violations) console.error(violation);

if (process.argv.includes('--write')) {
  const document = readFileSync(file, 'utf8');
  const { begin, end } = reportMarks;
  const before = document.slice(0, document.indexOf(begin) + begin.length);
  const after = document.slice(document.indexOf(end));
  writeFileSync(file, `${before}\n\n${report}\n\n${after}`);
}
process.exit(violations.length === 0 ? 0 : 1);
