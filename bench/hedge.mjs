/**
 * What `hedgeWith()` saves and costs against a provider whose first token is slow one time in ten: turns in virtual
 * time, the same ones in each row. Prints the table; `--write` puts it into docs/more-than-one-provider.md between
 * `<!-- hedge -->` and `<!-- /hedge -->`, `--check` fails where that has another.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { concatMap, defer, first, identity, of, timer, VirtualTimeScheduler } from 'rxjs';
import { hedgeWith, isTextDelta, streamChatCompletions } from '../dist/esm/index.js';
import { textEvent, wireOf } from '../dist/esm/testing/index.js';

const turns = 10_000;
const afters = [Infinity, 300, 500, 700, 1_000, 2_000];
const bytes = new TextEncoder().encode(wireOf([textEvent('Hello')]));

/** The same numbers in each run (mulberry32). */
function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** When the first token comes: within 300 to 700 ms, and one time in ten within 3 to 5 s. */
function firstToken(random) {
  const isSlow = random() < 0.1;
  const spread = random();
  return isSlow ? 3_000 + spread * 2_000 : 300 + spread * 400;
}

/** Turns one after the other, each on a clock of its own: how long they took, and how many were asked twice. */
function measure(after) {
  const times = [];
  let requests = 0;
  for (let turn = 0; turn < turns; turn += 1) {
    const scheduler = new VirtualTimeScheduler();
    const random = seeded(turn);
    const waits = [firstToken(random), firstToken(random)];
    const transport = () => {
      const wait = waits.shift();
      requests += 1;
      return of({
        status: 200,
        headers: { get: (name) => (name === 'content-type' ? 'text/event-stream' : null) },
        body: timer(wait, scheduler).pipe(concatMap(() => [bytes])),
      });
    };
    const provider = { name: 'bench', baseUrl: 'http://127.0.0.1' };
    const ask = () => streamChatCompletions('Hi', { model: 'm', provider, transport, scheduler });
    ask()
      .pipe(after === Infinity ? identity : hedgeWith(defer(ask), { after, scheduler }), first(isTextDelta))
      .subscribe(() => times.push(scheduler.now()));
    scheduler.flush();
  }
  if (times.length !== turns) throw new Error('a turn has given nothing');
  const sorted = times.toSorted((a, b) => a - b);
  const quantile = (part) => Math.round(sorted[Math.floor(turns * part)]);
  return { p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99), doubled: requests / turns - 1 };
}

const ms = (value) => `${value.toLocaleString('en')} ms`;
const rows = afters.map((after) => {
  const { p50, p90, p99, doubled } = measure(after);
  const name = after === Infinity ? 'no hedge' : `\`after: ${String(after).replace(/(?=000$)/, '_')}\``;
  return `| ${[name, ...[p50, p90, p99].map(ms), `${(doubled * 100).toFixed(0)} %`].join(' | ')} |`;
});
const table = ['| | p50 | p90 | p99 | asked twice |', '| --- | --: | --: | --: | --: |', ...rows].join('\n');
console.log(table);

const page = new URL('../docs/more-than-one-provider.md', import.meta.url);
const written = readFileSync(page, 'utf8');
const shown = written.replace(
  /(<!-- hedge -->\n)[^]*?(<!-- \/hedge -->)/,
  (_, start, end) => `${start}\n${table}\n\n${end}`,
);
if (process.argv.includes('--write')) writeFileSync(page, shown);
if (process.argv.includes('--check') && (shown !== written || !/<!-- hedge -->/.test(written))) {
  console.error('docs/more-than-one-provider.md has another table: run node bench/hedge.mjs --write.');
  process.exitCode = 1;
}
