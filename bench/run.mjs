/**
 * Runs the benchmark: `node bench/run.mjs [--quick] [--save] [--json FILE] [--only NAME,...]
 * [--candidates NAME,...] [--rounds N] [--library NAME=PATH ...] [--corpus PATH]`. See README.md beside it.
 */
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { versionsOf } from './packages.mjs';
import { printBuilds, printGroup, printRounds } from './print.mjs';
import { recordingsIn } from './recordings.mjs';
import { circumstances, saveResults } from './results.mjs';
import { scenarios } from './scenarios.mjs';
import { findSubjects, listOf } from './subjects.mjs';

/** What the others are divided by, in the same round. */
const handWritten = 'hand-written';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string' },
    candidates: { type: 'string' },
    rounds: { type: 'string' },
    library: { type: 'string', multiple: true, default: [] },
    corpus: { type: 'string', default: fileURLToPath(new URL('../../shared/corpus', import.meta.url)) },
  },
});
if (options.save && (options.quick || options.candidates || options.library.length > 0))
  throw new Error('--save takes the full run, with all candidates and this build alone');
if (options.rounds !== undefined && !(Number.isInteger(+options.rounds) && +options.rounds > 0))
  throw new Error('--rounds takes a number from 1 on');
/** One measurement takes seconds, the longest a minute; a client that waits for ever must not hold up the others. */
const patience = 600_000;
const corpus = resolve(options.corpus);

async function startServer() {
  const server = fork(new URL('server.mjs', import.meta.url), [corpus]);
  const [{ port }] = await once(server, 'message');
  return {
    origin: `http://127.0.0.1:${port}`,
    async ask(question) {
      server.send(question);
      const [answer] = await once(server, 'message');
      return answer;
    },
    stop: () => server.disconnect(),
  };
}

/** What a process of its own sends; what it asks meanwhile is for the server. */
async function measureIn(file, argument, { library }, server) {
  const child = fork(new URL(file, import.meta.url), [JSON.stringify(argument)], {
    execArgv: ['--expose-gc'],
    env: { ...process.env, ...(library && { BENCH_LIBRARY: library }) },
  });
  let result;
  child.on('message', async (message) => {
    if ('ask' in message) child.send(await server.ask(message.ask));
    else result = message;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), patience);
  const [code, signal] = await once(child, 'exit');
  clearTimeout(timer);
  if (code !== 0 || result === undefined) throw new Error(`it ended with ${code ?? signal}`);
  return result.result;
}

async function measureTurns(server, scenario, subject) {
  const before = await server.ask({});
  const result = await measureIn(
    'measure.mjs',
    { subject, origin: server.origin, scenario, corpus },
    subject,
    server,
  );
  const after = await server.ask({});
  return result && { ...result, connections: after.connections - before.connections };
}

/** Nothing else is loaded in that process, so a package pays for what it needs of Node. */
async function measureImport({ specifier }) {
  const code = `const [start, before] = [performance.now(), process.cpuUsage()];
    await import(${JSON.stringify(specifier)});
    const [passed, { user, system }] = [performance.now() - start, process.cpuUsage(before)];
    console.log(JSON.stringify({ import: passed, cpu: (user + system) / 1_000 }));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
  return JSON.parse(stdout);
}

/** One measurement in a fresh process. */
async function measure(server, scenario, subject) {
  try {
    if (scenario.kind === 'import') return await measureImport(subject);
    if (scenario.kind === 'stages') return await measureIn('stages.mjs', { subject }, subject);
    return await measureTurns(server, scenario, subject);
  } catch (cause) {
    throw new Error(`${subject.name} failed in ${scenario.name}`, { cause });
  }
}

/** A line that changes on a terminal, and elsewhere one for each scenario. */
function progress(text, isNew = false) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  else if (isNew) process.stderr.write(`${text}\n`);
}

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const spread = (values) => ({ median: median(values), min: Math.min(...values), max: Math.max(...values) });

/**
 * A round runs every subject once, so that whatever else the machine does meets all of them; each ratio is
 * one of a round. The order turns, since the first of a round meets a cooler machine, and every other round runs
 * backwards, so that of two neighbours neither is always the first.
 */
async function runScenario(server, scenario, subjects, label) {
  const { title, group, column, yardstick = handWritten } = scenario;
  const rounds = roundsOf(scenario);
  const samples = new Map(subjects.map(({ name }) => [name, []]));
  const start = performance.now();
  progress(`${label} ${scenario.name}: ${subjects.length} in ${rounds} rounds`, true);
  for (let round = 0; round < rounds; round += 1) {
    const turned = subjects.map((_, index) => subjects[(index + round) % subjects.length]);
    if (round % 2 === 1) turned.reverse();
    for (const subject of turned) {
      progress(`${label} ${scenario.name}: round ${round + 1} of ${rounds}, ${subject.name}`);
      samples.get(subject.name).push(await measure(server, scenario, subject));
    }
  }
  progress('');

  const figures = {};
  for (const { figure, unit, column: figureColumn, per = 1 } of scenario.figures) {
    const valuesOf = (name) => samples.get(name).map((sample) => sample?.[figure] / per);
    const base = valuesOf(yardstick);
    figures[figure] = { unit, column: figureColumn, subjects: {} };
    for (const { name } of subjects) {
      const values = valuesOf(name);
      if (values.some(Number.isNaN)) continue;
      figures[figure].subjects[name] = {
        ...spread(values),
        ratio: spread(values.map((value, index) => value / base[index])),
        samples: values,
      };
    }
    for (const { name, of, build } of subjects) {
      const own = figures[figure].subjects[of];
      const other = figures[figure].subjects[name];
      if (build === undefined || own === undefined || other === undefined) continue;
      own.to = {
        ...own.to,
        [build]: spread(own.samples.map((value, round) => value / other.samples[round])),
      };
    }
  }
  const seconds = Math.round((performance.now() - start) / 1_000);
  return { title, group, column, yardstick, rounds, date: new Date().toISOString(), seconds, figures };
}

function roundsOf({ group, rounds: { full, quick } }) {
  const usual = options.quick ? quick : full;
  // What is asked for by name is run, and what is counted gets no better by counting again.
  const least = options.only === undefined ? 0 : 1;
  if (group !== undefined || usual === 0) return Math.max(usual, least);
  return Number(options.rounds ?? usual);
}

const subjects = findSubjects({ ...options, yardstick: handWritten });
const names = listOf(
  options.only,
  scenarios.map(({ name }) => name),
  'scenario',
);
let chosen = scenarios.filter((scenario) => names.includes(scenario.name) && roundsOf(scenario) > 0);
for (const [reason, left] of subjects.leftOut) console.error(`left out, ${reason}: ${left.join(', ')}`);
if (chosen.some(({ kind }) => kind === 'recorded') && recordingsIn(corpus).length === 0) {
  console.error(`left out, no recordings in ${options.corpus} (--corpus PATH): recorded`);
  chosen = chosen.filter(({ kind }) => kind !== 'recorded');
}

const server = await startServer();
const results = {};
try {
  for (const [index, scenario] of chosen.entries()) {
    const label = `[${index + 1}/${chosen.length}]`;
    const result = await runScenario(server, scenario, subjects.of(scenario), label);
    results[scenario.name] = result;
    if (result.group === undefined) printRounds(result);
  }
  const grouped = Object.values(results).filter(({ group }) => group !== undefined);
  for (const group of new Set(grouped.map((result) => result.group))) {
    printGroup(grouped.filter((result) => result.group === group));
  }
  for (const build of subjects.builds) printBuilds(build, results);
} finally {
  server.stop();
}
const run = { ...circumstances(versionsOf(subjects.packages)), scenarios: results };
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(run, null, 2)}\n`);
if (options.save) saveResults(run);
