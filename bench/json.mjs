/**
 * What a JSON answer costs to show while it is being written: `partialJson()` with a snapshot for each delta of four
 * characters, beside what one would write without it. CPU time, as ratios to one `JSON.parse` of the whole text at the end
 * with the same turn. Prints the table; `--write` puts it into README.md beside this file.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { from, last, scan, map } from 'rxjs';
import { isTextDelta } from '../dist/esm/index.js';
import { jsonElements, partialJson, toJson } from '../dist/esm/json/index.js';
import { completedEvent, textEvent } from '../dist/esm/testing/index.js';

const rows = (count) =>
  JSON.stringify({
    rows: Array.from({ length: count }, (_, id) => ({
      id,
      name: `City ${id}`,
      text: 'A river, and a hill. '.repeat(3),
    })),
  });

const textOf = (event) => (isTextDelta(event) ? event.item.content[0].text : '');
const added = scan((text, event) => text + textOf(event), '');

/** Each ends with the value: what is emitted before is thrown away, as a user interface does in the end. */
const ways = {
  'the text, and one `JSON.parse` at the end': (turn) => turn.pipe(added, last(), map(JSON.parse)),
  'the text alone': (turn) => turn.pipe(added, last()),
  '`toJson({})`': (turn) => turn.pipe(toJson({})),
  '`partialJson()`': (turn) => turn.pipe(partialJson(), last()),
  "`jsonElements('rows')`": (turn) => turn.pipe(jsonElements('rows'), last()),
};

const median = (samples) => samples.toSorted((a, b) => a - b)[samples.length >> 1];

/** CPU milliseconds of one turn. */
function measure(way, events, rounds) {
  const samples = [];
  for (let round = 0; round < rounds + 2; round += 1) {
    const before = process.cpuUsage();
    let runs = 0;
    let spent = 0;
    do {
      way(from(events)).subscribe();
      runs += 1;
      const { user, system } = process.cpuUsage(before);
      spent = (user + system) / 1_000;
    } while (spent < 50);
    samples.push(spent / runs);
  }
  return median(samples.slice(2));
}

/** What `JSON.parse` costs that is given the text so far, closed, with each delta: some deltas are measured, and stand for all. */
function parsedAgain(text, deltas) {
  const marks = Array.from({ length: 20 }, (_, index) => Math.floor((text.length * (index + 0.5)) / 20));
  const costs = marks.map((mark) => {
    // Cut behind a row, so that two brackets close it.
    const prefix = `${text.slice(0, text.lastIndexOf('}', mark) + 1) || '{"rows":['}]}`;
    const runs = Math.max(3, Math.ceil(2_000_000 / text.length));
    JSON.parse(prefix);
    const before = process.cpuUsage();
    for (let run = 0; run < runs; run += 1) JSON.parse(prefix);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000 / runs;
  });
  return (costs.reduce((sum, cost) => sum + cost, 0) / costs.length) * deltas;
}

const sizes = { '1 kB': 9, '10 kB': 95, '100 kB': 950, '1 MB': 9_300 };
const measured = Object.entries(sizes).map(([size, count]) => {
  const text = rows(count);
  const deltas = text.match(/[^]{1,4}/g).map((delta) => textEvent(delta));
  const events = [...deltas, completedEvent()];
  const costs = Object.values(ways).map((way) => measure(way, events, 5));
  return {
    size,
    length: text.length,
    deltas: deltas.length,
    costs,
    again: costs[1] + parsedAgain(text, deltas.length),
  };
});

const shown = (cost, base) => `${(cost / base).toFixed(cost / base < 10 ? 1 : 0)}`;
const lines = [
  ['', ...measured.map(({ size }) => size)],
  ['---', ...measured.map(() => '--:')],
  ...Object.keys(ways).map((name, index) => [
    name,
    ...measured.map(({ costs }) => shown(costs[index], costs[0])),
  ]),
  [
    '`JSON.parse` of the text so far, with each delta',
    ...measured.map(({ again, costs }) => shown(again, costs[0])),
  ],
  [
    '`partialJson()`, CPU µs per delta',
    ...measured.map(({ costs, deltas }) => ((costs[3] * 1_000) / deltas).toFixed(2)),
  ],
  ['`partialJson()`, CPU ms', ...measured.map(({ costs }) => costs[3].toPrecision(2))],
];
const table = lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
console.log(table);

if (process.argv.includes('--write')) {
  const readme = new URL('README.md', import.meta.url);
  const written = readFileSync(readme, 'utf8').replace(
    /(<!-- json -->\n)[^]*?(<!-- \/json -->)/,
    `$1\n${table}\n\n$2`,
  );
  writeFileSync(readme, written);
}
