/** What is installed: this package's own dependencies, and what the benchmark alone needs beside it. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { resolve } = createRequire(import.meta.url);

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** The `package.json` that an import of this name stands for, `undefined` where it is not installed. */
export function packageOf(name) {
  const file = resolve
    .paths(name)
    .map((folder) => join(folder, name, 'package.json'))
    .find((path) => existsSync(path));
  return file && read(file);
}

/** The packages that a file imports. */
export function importsOf(file) {
  const imported = [...readFileSync(file, 'utf8').matchAll(/^import .* from '([^']+)';$/gm)];
  return imported
    .map(([, specifier]) => specifier)
    .filter((specifier) => !/^(\.|node:)/.test(specifier))
    .map((specifier) => specifier.match(/^(@[^/]+\/)?[^/]+/)[0]);
}

/** Why these packages cannot be measured here: `undefined` where they can. */
export function hindrance(names) {
  const found = names.map(packageOf);
  if (found.includes(undefined)) return 'not installed (npm ci --prefix bench)';
  const current = process.versions.node.split('.').map(Number);
  const needed = found
    .map(({ engines }) => engines?.node?.match(/^>= ?(\d+)(?:\.(\d+))?/) ?? [undefined, 0, 0])
    .map(([, major, minor = 0]) => [Number(major), Number(minor)])
    .find(([major, minor]) => major > current[0] || (major === current[0] && minor > current[1]));
  return needed && `written for Node ${needed[0]} or newer`;
}

/** The versions of these packages and of this one, those aside that are not there. */
export function versionsOf(names) {
  const own = read(new URL('../package.json', import.meta.url));
  const versions = names.map((name) => [name, packageOf(name)?.version]);
  return Object.fromEntries([
    [own.name, own.version],
    ...versions.filter(([, version]) => version).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}
