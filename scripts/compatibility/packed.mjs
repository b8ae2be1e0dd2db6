// The library as npm packs it, in projects of users who install it.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** A folder that is gone when the process ends. */
export function scratchFolder() {
  const folder = mkdtempSync(join(tmpdir(), `${manifest.name}-`));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Packs the build that there is: the tarball's path, and the paths of what is in it. */
export async function pack(folder) {
  const { stdout } = await run(
    'npm',
    ['pack', '--ignore-scripts', '--json', '--pack-destination', folder],
    root,
  );
  const [{ filename, files }] = JSON.parse(stdout);
  return { tarball: join(folder, filename), files: files.map(({ path }) => path) };
}

/** A new project with packages in it, and with the files of some folders. */
export async function project(folder, packages, ...files) {
  mkdirSync(folder, { recursive: true });
  for (const from of files) cpSync(from, folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: basename(folder), private: true }));
  await run(
    'npm',
    [
      'install',
      ...packages,
      ...['--prefer-offline', '--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund'],
    ],
    folder,
  );
  return folder;
}

/** The version of an installed package. */
export function versionOf(folder, name) {
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/** What a program wrote, which is closed off from the terminal; an error with all of it where it failed. */
export function run(command, args, cwd = root) {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { cwd, encoding: 'utf8', timeout: 300_000, maxBuffer: 2 ** 24 },
      (error, stdout, stderr) => {
        if (error === null) resolve({ stdout, stderr });
        else
          reject(
            new Error(
              `${basename(command)} ${args.join(' ')}\n${`${stdout}${stderr}`.trim() || error.message}`,
            ),
          );
      },
    );
    child.stdin.end();
  });
}
