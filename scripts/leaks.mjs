// Runs 10,000 turns of every ending over every transport and 1,000 turns at once, and prints what they left
// behind and what they took; `--write` puts it into docs/leaks-and-load.md, `--turns N` runs another number.
// Fails where something leaked, or a turn was wrong.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { buildSync } from 'esbuild';

const { values } = parseArgs({
  options: { write: { type: 'boolean', default: false }, turns: { type: 'string', default: '10000' } },
});
const turns = Number(values.turns);
const atOnce = 1_000;

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'spec', 'reliability');
const file = join(root, 'docs', 'leaks-and-load.md');

// Beside their sources, so that packages resolve as they do there.
const bundles = {};
for (const name of ['leaks-table', 'load-run', 'load-provider']) {
  bundles[name] = join(folder, `.${process.pid}-${name}.cjs`);
  buildSync({
    entryPoints: [join(folder, `${name}.ts`)],
    outfile: bundles[name],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
    logLevel: 'silent',
  });
}

const removeBundles = () => {
  for (const bundle of Object.values(bundles)) rmSync(bundle, { force: true });
};
process.once('exit', removeBundles);

const { reportLeaks, reportLoad } = (await import(pathToFileURL(bundles['leaks-table']))).default;
const load = await reportLoad(atOnce, { run: bundles['load-run'], provider: bundles['load-provider'] });
removeBundles();
console.log(`${load.table}\n`);
const leaks = await reportLeaks({ turns, warmUp: turns / 10, atOnce: 50 }, (line) => console.error(line));
console.log(`${leaks.table}\n`);

const violations = [...leaks.violations, ...load.violations];
for (const violation of violations) console.error(violation);
console.log(`Violations: ${violations.length}.`);

if (values.write) {
  const machine = `Node ${process.versions.node}, ${cpus().length} cores, provider and client on one machine.`;
  let document = readFileSync(file, 'utf8');
  const put = (mark, text) => {
    const [begin, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`];
    const before = document.slice(0, document.indexOf(begin) + begin.length);
    document = `${before}\n\n${text}\n\n${document.slice(document.indexOf(end))}`;
  };
  const number = turns.toLocaleString('en');
  put(
    'leaks',
    `${leaks.table}\n\n${number} turns of each. Violations: ${leaks.violations.length}. ${machine}`,
  );
  put('load', `${load.table}\n\nViolations: ${load.violations.length}. ${machine}`);
  writeFileSync(file, document);
}
process.exit(violations.length === 0 ? 0 : 1);
