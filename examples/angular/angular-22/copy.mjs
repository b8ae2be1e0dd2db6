// The chat in the folder above, beside the packages of Angular 22: its sources and its configuration.
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

for (const name of ['angular.json', 'tsconfig.json', 'public', 'src']) {
  const [from, to] = [`../${name}`, name].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
}
