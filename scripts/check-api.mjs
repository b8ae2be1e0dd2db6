// Checks that the public surface, as dist's types have it, is the one that stands in docs/api: a change of it is
// a difference to be read there. `--write` puts it there.
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { checks } from './checks.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'docs', 'api');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const writing = process.argv.includes('--write');
const { check, finish } = checks();

/** One program for all entries. */
let compilerState;

const entries = Object.entries(manifest.exports)
  .filter(([, target]) => target.import?.types !== undefined)
  .map(([path, target]) => ({
    path,
    types: join(root, target.import.types),
    report: `${path === '.' ? 'index' : path.slice(2)}.api.md`,
  }));

for (const { path, types, report } of entries) {
  await check(`the surface of "${path}" is that of docs/api/${report}`, () => {
    const text = reportOf(types, report);
    const file = join(folder, report);
    if (writing) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, text);
    }
    const committed = existsSync(file) ? readFileSync(file, 'utf8') : '';
    assert.ok(
      committed === text,
      `${difference(committed, text)}\nnpm run check:api -- --write puts it there.`,
    );
  });
}

await check('docs/api holds nothing else', () => {
  const reports = entries.map(({ report }) => report);
  assert.deepEqual(
    readdirSync(folder).filter((file) => !reports.includes(file)),
    [],
  );
});

finish();

function reportOf(types, report) {
  assert.ok(existsSync(types), `${types} is not there: npm run build makes it.`);
  const scratch = mkdtempSync(join(tmpdir(), 'check-api-'));
  const problems = [];
  try {
    const config = ExtractorConfig.prepare({
      configObject: {
        projectFolder: root,
        mainEntryPointFilePath: types,
        compiler: {
          overrideTsconfig: {
            files: [types],
            compilerOptions: {
              target: 'ES2022',
              lib: ['ES2022', 'DOM', 'DOM.Iterable'],
              module: 'ESNext',
              moduleResolution: 'Bundler',
              types: ['node'],
              strict: true,
              exactOptionalPropertyTypes: true,
              skipLibCheck: true,
            },
          },
        },
        apiReport: {
          enabled: true,
          reportFileName: report,
          reportFolder: scratch,
          reportTempFolder: join(scratch, 'new'),
          includeForgottenExports: true,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        newlineKind: 'lf',
        messages: {
          compilerMessageReporting: { default: { logLevel: 'error' } },
          extractorMessageReporting: {
            default: { logLevel: 'error' },
            // Nothing here is tagged @public or @beta: what is exported is public.
            'ae-missing-release-tag': { logLevel: 'none' },
            'ae-undocumented': { logLevel: 'none' },
            // What is not exported but can be reached stands in the report all the same.
            'ae-forgotten-export': { logLevel: 'none' },
          },
          // What is wrong with doc comments is typedoc's to say.
          tsdocMessageReporting: { default: { logLevel: 'none' } },
        },
      },
      configObjectFullPath: undefined,
      packageJsonFullPath: join(root, 'package.json'),
    });
    mkdirSync(join(scratch, 'new'));
    compilerState ??= CompilerState.create(config, {
      additionalEntryPoints: entries.map((entry) => entry.types),
    });
    Extractor.invoke(config, {
      compilerState,
      localBuild: true,
      messageCallback: (message) => {
        message.handled = true;
        if (message.logLevel === 'error' && message.category !== 'console') problems.push(message.text);
      },
    });
    assert.deepEqual(problems, []);
    return readFileSync(join(scratch, report), 'utf8');
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The lines that went and came, each with its sign. */
function difference(before, after) {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const [gone, come] = [
    old.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
  ];
  return [...gone, ...come].join('\n') || 'The order of the lines differs.';
}
