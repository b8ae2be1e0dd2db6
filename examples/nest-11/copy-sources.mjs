// A copy, since a module finds its dependencies by where it is: what is copied finds NestJS 11.
import { cpSync, rmSync } from 'node:fs';

for (const name of ['src', 'test', 'variants', 'tsconfig.json']) {
  const copy = new URL(name, import.meta.url);
  rmSync(copy, { recursive: true, force: true });
  cpSync(new URL(`../nest/${name}`, import.meta.url), copy, { recursive: true });
}
