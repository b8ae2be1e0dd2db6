// Runs the code of a document as a program of its own, against the build.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** The longest that any of it may take: what hangs, fails. */
const timeout = 30_000;

export function blockRunner(root, mockProvider) {
  // Inside dist/, where the package finds itself by its name and nobody looks.
  const folder = join(root, 'dist', `.docs-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const given = join(folder, 'given.mjs');
  return {
    prepare: (text) => writeFileSync(given, text),
    /** What went wrong, or nothing. */
    run(name, code) {
      const file = join(folder, `${name.replace(/\W+/g, '-')}.mjs`);
      writeFileSync(file, transpiled(code));
      return start(['--import', given, file], { ...process.env, MOCK_PROVIDER: mockProvider });
    },
  };
}

const transpiled = (code) =>
  ts.transpileModule(`${code}\nexport {};\n`, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  }).outputText;

function start(args, env) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout });
    let errors = '';
    child.stdout.resume();
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
    child.once('close', (status, signal) => {
      if (signal !== null) resolve(`It did not end within ${timeout} ms.\n${errors}`);
      else if (status !== 0) resolve(`It ended with exit code ${status}.\n${errors}`);
      else resolve(errors === '' ? undefined : `It wrote to stderr:\n${errors}`);
    });
  });
}
