/** Other builds of this package, beside which this one is measured. */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const modules = fileURLToPath(new URL('../node_modules/', import.meta.url));

/**
 * Builds as `NAME=PATH`, each copied to where it finds the `rxjs` of the candidates: with one of its own beside
 * it a turn would run through two of them, and be slower for that alone.
 */
export function buildsOf(settings) {
  if (settings.length === 0) return [];
  const folder = mkdtempSync(join(modules, '.bench-builds-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  return settings.map((setting) => {
    const at = setting.indexOf('=');
    const path = resolve(setting.slice(at + 1));
    if (at < 1 || !existsSync(path))
      throw new Error('--library takes NAME=PATH, the path of a built dist/esm/index.js');
    const build = setting.slice(0, at);
    // The stages are looked up in the CommonJS build beside it.
    for (const format of ['esm', 'cjs'])
      cpSync(join(dirname(path), '..', format), join(folder, build, format), { recursive: true });
    return { build, library: pathToFileURL(join(folder, build, 'esm', 'index.js')).href };
  });
}
