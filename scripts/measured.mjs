// What a pull request changes in size and speed, as Markdown: `node scripts/measured.mjs BASE-SIZE HEAD-SIZE BENCH`, the
// first two from `size-limit --json`, the last from `bench/run.mjs --library base=… --json`.
import { readFileSync } from 'node:fs';

const [base, head, bench] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));

/** Below this a ratio is noise: see bench/README.md. */
const noise = 0.3;

const table = (heads, rows) =>
  [heads, heads.map((_, column) => (column === 0 ? '---' : '--:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');

const before = new Map(base.map(({ name, size }) => [name, size]));
const sizes = head.map(({ name, size, sizeLimit, passed }) => {
  const change = before.has(name) ? size - before.get(name) : undefined;
  const sign = change > 0 ? '+' : '';
  return [
    name,
    size,
    change === undefined ? 'new' : `${sign}${change}`,
    `${sizeLimit}${passed ? '' : ' **exceeded**'}`,
  ];
});

const ratios = Object.entries(bench.scenarios).flatMap(([scenario, { figures }]) =>
  Object.values(figures).flatMap(({ unit, column, subjects }) =>
    Object.entries(subjects)
      .filter(([, { to }]) => to?.base !== undefined)
      .map(([name, { to }]) => {
        const { median, min, max } = to.base;
        const told =
          median > 1 + noise || median < 1 / (1 + noise) ? `**${median.toFixed(2)}**` : median.toFixed(2);
        return [
          `${scenario}, ${[unit, column].filter(Boolean).join(', ')}: ${name}`,
          told,
          `${min.toFixed(2)} to ${max.toFixed(2)}`,
        ];
      }),
  ),
);

console.log(`### Size

Bytes, minified and gzipped.

${table(['', 'size', 'change', 'limit'], sizes)}

### Speed

This branch to its base, in the same rounds. Treat less than ${noise * 100} % as equal.

${table(['', 'ratio', 'min to max'], ratios)}`);
