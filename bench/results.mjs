/** The file of results that the table of docs/benchmark.md is made of: the latest full run under each major version of Node. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, totalmem, type } from 'node:os';

export const resultsFile = new URL('results.json', import.meta.url);

export const readResults = () =>
  existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, 'utf8')) : { runs: {} };

/** Where and of what a run was. */
export const circumstances = (versions) => ({
  node: process.version,
  machine: {
    cpu: cpus()[0]?.model,
    cpus: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${arch()}`,
  },
  versions,
});

/** The figures without the samples they come from, in as many digits as they are worth. */
function withoutSamples(scenarios) {
  const round = (value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);
  return JSON.parse(
    JSON.stringify(scenarios, (key, value) => (key === 'samples' ? undefined : round(value))),
  );
}

/**
 * Puts a run in the place of the one before. Scenarios that were not run stay where machine, Node and
 * versions are the same; each tells its date.
 */
export function saveResults({ scenarios, ...run }) {
  const { runs } = readResults();
  const major = process.versions.node.split('.')[0];
  const { scenarios: before, ...runBefore } = runs[major] ?? {};
  const kept = JSON.stringify(runBefore) === JSON.stringify(run) ? before : {};
  runs[major] = { ...run, scenarios: { ...kept, ...withoutSamples(scenarios) } };
  writeFileSync(resultsFile, `${JSON.stringify({ runs }, null, 1)}\n`);
}
