/** Who is measured in a scenario: candidates, packages to import, or stages. */
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildsOf } from './builds.mjs';
import { hindrance, importsOf } from './packages.mjs';
import { imports, peers } from './scenarios.mjs';
import { stageNames } from './stages.mjs';

const folder = new URL('candidates/', import.meta.url);
const ownBuild = new URL('../dist/esm/index.js', import.meta.url).href;

/** The names out of a list of options that were asked for, all of them where none was. */
export function listOf(names, all, what) {
  const wanted = names?.split(',') ?? all;
  const unknown = wanted.filter((name) => !all.includes(name));
  if (unknown.length > 0)
    throw new Error(`no such ${what}: ${unknown.join(', ')}; there are ${all.join(', ')}`);
  return wanted;
}

/** A subject that is of this package, once more for every other build. */
const withBuilds = (subject, builds) => [
  subject,
  ...builds.map(({ build, library }) => ({
    ...subject,
    name: `${subject.name}@${build}`,
    of: subject.name,
    build,
    library,
  })),
];

/** The yardstick first, then this package, then the others. */
const byImportance = (first) => {
  const rank = (name) =>
    name === first ? 0 : name.startsWith('hand-written') ? 1 : name.startsWith('library') ? 2 : 3;
  return (a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1);
};

/** `leftOut` tells what cannot be measured here, and why. */
export function findSubjects({ candidates: asked, library, quick, yardstick }) {
  const builds = buildsOf(library);
  const leftOut = new Map();
  const usable = (name, packages) => {
    const reason = hindrance(packages);
    if (reason !== undefined) leftOut.set(reason, [...(leftOut.get(reason) ?? []), name]);
    return reason === undefined;
  };

  const all = readdirSync(folder)
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => ({ name: basename(file, '.mjs'), url: new URL(file, folder).href, library: ownBuild }))
    .map((candidate) => ({
      ...candidate,
      of: candidate.name,
      packages: importsOf(fileURLToPath(candidate.url)),
    }))
    .toSorted(byImportance(yardstick))
    .flatMap((candidate) =>
      candidate.name.startsWith('library') ? withBuilds(candidate, builds) : [candidate],
    );
  const names = listOf(
    asked,
    all.map(({ name }) => name),
    'candidate',
  );
  const candidates = all.filter(
    ({ name, of, packages }) =>
      (name === yardstick || names.includes(name) || names.includes(of)) && usable(name, packages),
  );

  const packages = imports
    .filter(({ name, entry }) => entry !== undefined || hindrance([name]) === undefined)
    .flatMap(({ name, entry }) => {
      if (entry === undefined) return [{ name, specifier: name }];
      const specifierOf = (index) => new URL(entry, index).href;
      return withBuilds({ name, library: ownBuild }, builds).map((subject) => ({
        ...subject,
        specifier: specifierOf(subject.library),
      }));
    });

  const stages = stageNames.flatMap((name) => {
    const subject = { name, stage: name, library: ownBuild };
    return name.startsWith('by hand') ? [subject] : withBuilds(subject, builds);
  });

  return {
    leftOut,
    builds: builds.map(({ build }) => build),
    packages: [
      ...new Set([
        ...candidates.flatMap((candidate) => candidate.packages),
        ...imports.map(({ name }) => name).filter((name) => hindrance([name]) === undefined),
      ]),
    ],
    of(scenario) {
      if (scenario.kind === 'import') return packages;
      if (scenario.kind === 'stages') return stages.filter(({ stage }) => scenario.stages(stage));
      if (asked !== undefined) return candidates;
      const without = quick ? [...scenario.without, ...peers] : scenario.without;
      return candidates.filter((candidate) => !without.includes(candidate.of));
    },
  };
}
