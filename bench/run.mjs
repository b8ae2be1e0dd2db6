/**
 * Runs the benchmark: `node bench/run.mjs [--quick] [--json FILE] [--only NAME,...] [--candidates NAME,...]
 * [--rounds N] [--library NAME=PATH ...]`. See README.md beside it.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { scenarios } from './scenarios.mjs';

/** What the others are divided by, in the same round. */
const yardstick = 'hand-written';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string' },
    candidates: { type: 'string' },
    rounds: { type: 'string' },
    library: { type: 'string', multiple: true, default: [] },
  },
});

const listOf = (names, all, what) => {
  const wanted = names?.split(',') ?? all;
  const unknown = wanted.filter((name) => !all.includes(name));
  if (unknown.length > 0)
    throw new Error(`no such ${what}: ${unknown.join(', ')}; there are ${all.join(', ')}`);
  return wanted;
};

/** Each file in candidates/, and the library's once more for every other build that is to be compared. */
function findCandidates() {
  const files = readdirSync(new URL('candidates', import.meta.url)).filter((file) => file.endsWith('.mjs'));
  const found = files.map((file) => ({
    name: basename(file, '.mjs'),
    url: new URL(`candidates/${file}`, import.meta.url).href,
    env: {},
  }));
  const others = options.library.flatMap((setting) => {
    const at = setting.indexOf('=');
    const path = resolve(setting.slice(at + 1));
    if (at < 1 || !existsSync(path))
      throw new Error('--library takes NAME=PATH, the path of a built index.js');
    return found
      .filter(({ name }) => name.startsWith('library'))
      .map((candidate) => ({
        ...candidate,
        name: `${candidate.name}@${setting.slice(0, at)}`,
        env: { BENCH_LIBRARY: pathToFileURL(path).href },
      }));
  });
  const all = [...found, ...others];
  const names = listOf(
    options.candidates,
    all.map(({ name }) => name),
    'candidate',
  );
  if (!names.includes(yardstick)) names.unshift(yardstick);
  return names.map((name) => all.find((candidate) => candidate.name === name));
}

async function startServer() {
  const server = fork(new URL('server.mjs', import.meta.url));
  const [{ port }] = await once(server, 'message');
  return {
    origin: `http://127.0.0.1:${port}`,
    async connections() {
      server.send({});
      const [{ connections }] = await once(server, 'message');
      return connections;
    },
    stop: () => server.disconnect(),
  };
}

/** One measurement in a fresh process. */
async function measure(server, scenario, { name, url, env }) {
  const before = await server.connections();
  const argument = JSON.stringify({ candidate: url, origin: server.origin, scenario });
  const child = fork(new URL('measure.mjs', import.meta.url), [argument], {
    execArgv: ['--expose-gc'],
    env: { ...process.env, ...env },
  });
  let result;
  child.once('message', (message) => (result = message));
  const [code] = await once(child, 'exit');
  if (code !== 0 || result === undefined) throw new Error(`${name} failed in ${scenario.name}`);
  if (result.result === undefined) return undefined;
  return { ...result.result, connections: (await server.connections()) - before };
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const spread = (values) => ({ median: median(values), min: Math.min(...values), max: Math.max(...values) });

/**
 * A round runs every candidate once, so that whatever else the machine does meets all of them; each ratio is
 * one of a round. The order turns, since the first of a round meets a cooler machine.
 */
async function runScenario(server, scenario, candidates) {
  const rounds = scenario.group === undefined ? Number(options.rounds ?? (options.quick ? 3 : 7)) : 1;
  const samples = new Map(candidates.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const turned = candidates.map((_, index) => candidates[(index + round) % candidates.length]);
    for (const candidate of turned) {
      progress(`${scenario.name} ${round + 1}/${rounds} ${candidate.name}`);
      samples.get(candidate.name).push(await measure(server, scenario, candidate));
    }
  }
  progress('');

  const rows = {};
  for (const { figure, unit, per = 1 } of scenario.figures) {
    const valuesOf = (name) => samples.get(name).map((sample) => sample?.[figure] / per);
    const base = valuesOf(yardstick);
    rows[figure] = { unit, candidates: {} };
    for (const { name } of candidates) {
      const values = valuesOf(name);
      if (values.some(Number.isNaN)) continue;
      rows[figure].candidates[name] = {
        ...spread(values),
        ratio: spread(values.map((value, index) => value / base[index])),
        samples: values,
      };
    }
  }
  const { title, group, column } = scenario;
  return { title, group, column, rounds, figures: rows };
}

const short = (value) => (Number.isInteger(value) || value >= 100 ? value.toFixed(0) : value.toPrecision(3));

function printTable(title, heads, rows) {
  const table = [['', ...heads], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  console.log(`\n${title}`);
  for (const [name, ...cells] of table) {
    const columns = cells.map((cell, column) => cell.padStart(widths[column + 1]));
    console.log(`  ${[name.padEnd(widths[0]), ...columns].join('  ')}`);
  }
}

/** Measured in rounds: one table for each figure. */
function printRounds({ title, rounds, figures }) {
  for (const { unit, candidates } of Object.values(figures)) {
    printTable(
      `${title}: ${unit} (${rounds} rounds)`,
      ['median', 'min', 'max', 'ratio', 'min to max'],
      Object.entries(candidates).map(([name, { median, min, max, ratio }]) => [
        name,
        ...[median, min, max].map(short),
        ratio.median.toFixed(2),
        `${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)}`,
      ]),
    );
  }
}

/** Counted once: one table for each figure, a column for each scenario of the group. */
function printGroup(members) {
  for (const [figure, { unit, candidates }] of Object.entries(members[0].figures)) {
    printTable(
      `${members[0].group}: ${unit}`,
      members.map(({ column }) => column),
      Object.keys(candidates).map((name) => [
        name,
        ...members.map(({ figures }) => short(figures[figure].candidates[name].median)),
      ]),
    );
  }
}

const candidates = findCandidates();
const chosen = listOf(
  options.only,
  scenarios.map(({ name }) => name),
  'scenario',
);
const server = await startServer();
const results = {};
try {
  for (const scenario of scenarios) {
    if (!chosen.includes(scenario.name)) continue;
    if (options.quick && options.only === undefined && scenario.quick === false) continue;
    const result = await runScenario(server, scenario, candidates);
    results[scenario.name] = result;
    if (result.group === undefined) printRounds(result);
  }
  const grouped = Object.values(results).filter(({ group }) => group !== undefined);
  for (const group of new Set(grouped.map((result) => result.group))) {
    printGroup(grouped.filter((result) => result.group === group));
  }
} finally {
  server.stop();
}
if (options.json !== undefined) {
  const machine = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model };
  writeFileSync(options.json, `${JSON.stringify({ machine, yardstick, scenarios: results }, null, 2)}\n`);
}
