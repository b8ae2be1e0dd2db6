import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageVersion } from '../../src/cli/package-version.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'version-'));
});

afterEach(() => rm(directory, { recursive: true }));

it('is that of the package, found through a link and past the package.json of a build', async () => {
  const build = join(directory, 'package/dist/cjs');
  await mkdir(build, { recursive: true });
  await writeFile(
    join(directory, 'package/package.json'),
    '{"name":"rxjs-chat-completions","version":"9.8.7"}',
  );
  await writeFile(join(build, 'package.json'), '{"type":"commonjs"}');
  await writeFile(join(build, 'cli.js'), '');
  await symlink(join(build, 'cli.js'), join(directory, 'bin'));
  expect(packageVersion(join(directory, 'bin'))).toBe('9.8.7');
});

it('is unknown where the file is in no such package, or is none', async () => {
  await writeFile(join(directory, 'package.json'), '{"name":"other","version":"1.0.0"}');
  await writeFile(join(directory, 'cli.js'), '');
  expect(packageVersion(join(directory, 'cli.js'))).toBeUndefined();
  expect(packageVersion(join(directory, 'none.js'))).toBeUndefined();
});
