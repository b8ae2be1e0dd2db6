// Packs the library and uses the tarball as its users do: ESM, CJS, types, a browser's bundle.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { checks } from './checks.mjs';
import { manifest, pack, project, root, run, scratchFolder, versionOf } from './compatibility/packed.mjs';
import { pageBefore } from './compatibility/page.mjs';
import { typescript6, typescript7 } from './compilers.mjs';

const { name } = manifest;
const entries = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');
const browserEntries = entries.filter((entry) => !['./mock-provider', './node'].includes(entry));
const specifier = (entry) => name + entry.slice(1);

const scratch = scratchFolder();
const { tarball, files: packed } = await pack(scratch);
const user = await project(
  join(scratch, 'user'),
  [
    tarball,
    ...['rxjs', '@opentelemetry/api', '@angular/core'].map((peer) => `${peer}@${versionOf(root, peer)}`),
  ],
  join(root, 'spec', 'package'),
);
const installed = join(user, 'node_modules', name);

const { check, finish } = checks();

await check('holds the builds, their sources and the papers, nothing else', () => {
  const strangers = packed.filter(
    (path) => !/^(dist\/(esm|cjs)|src)\/|^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(path),
  );
  assert.deepEqual(strangers, []);
  assert.ok(packed.includes('LICENSE'));
});

await check('holds each source once: its maps name the files of src/ and repeat none', () => {
  const maps = packed.filter((file) => file.endsWith('.map'));
  for (const format of ['cjs', 'esm'])
    for (const kind of ['.js.map', '.d.ts.map'])
      assert.ok(
        maps.some((file) => file.startsWith(`dist/${format}/`) && file.endsWith(kind)),
        `dist/${format} has no ${kind}`,
      );
  for (const path of maps) {
    const {
      sources,
      sourceRoot = '',
      sourcesContent,
    } = JSON.parse(readFileSync(join(installed, path), 'utf8'));
    assert.equal(sourcesContent, undefined, `${path} repeats its sources`);
    for (const source of sources) {
      const file = join(dirname(path), sourceRoot, source);
      assert.ok(file.startsWith(`src${sep}`) && existsSync(join(installed, file)), `${path}: ${source}`);
    }
  }
});

await check('says in its comments what holds, and not in which row of a table', () => {
  const rows = packed
    .filter((file) => /\.(d\.ts|js|ts)$/.test(file))
    .flatMap((file) => readFileSync(join(installed, file), 'utf8').match(/\bC\d{1,2}\b/g) ?? []);
  assert.deepEqual(rows, []);
});

await check('satisfies publint', () => run(bin('publint'), ['run', tarball, '--strict']));

await check('gives every resolution its types (are the types wrong)', () =>
  run(bin('attw'), [tarball, '--profile', 'node16', '--no-color', '--no-emoji']),
);

// A program that waits for ever ends with exit code 0 once nothing is left to wait for: its last word counts.
await check('serves an ESM program', async () => assert.equal(await node('consumer.mjs'), 'done\n'));
await check('serves a CJS program', async () => assert.equal(await node('consumer.cjs'), 'done\n'));

for (const entry of entries) {
  await check(`does nothing when ${specifier(entry)} is imported`, async () => {
    const peers = entry === './angular' ? ['@angular/core'] : [];
    for (const how of ['import', 'require'])
      assert.equal(await node('import-only.cjs', how, specifier(entry), ...peers), 'done\n');
  });
}

for (const [compiler, tsc] of [
  ['TypeScript 7', typescript7],
  ['TypeScript 6', typescript6],
]) {
  for (const resolution of ['node16', 'bundler']) {
    await check(`types a browser's program without Node's types (${compiler}, ${resolution})`, () =>
      compile(tsc, resolution, 'types-browser.ts', []),
    );
    await check(`types a Node program (${compiler}, ${resolution})`, () =>
      compile(tsc, resolution, 'types-node.ts', ['node']),
    );
  }
}

await check('names nothing of Node in the declarations that browsers load', () => {
  for (const entry of browserEntries) {
    for (const condition of ['import', 'require']) {
      for (const file of declarationsFrom(join(installed, manifest.exports[entry][condition].types))) {
        const text = readFileSync(file, 'utf8').replace(/\/\*\*?[^]*?\*\//g, '');
        assert.doesNotMatch(text, /types="node"|['"]node:|\bNodeJS\b|\bBuffer\b/, file);
      }
    }
  }
});

await check('bundles for browsers without cross-fetch', async () => {
  const { files, code } = await bundle(
    `export { streamChatCompletions, aggregate, textDeltas } from '${name}';`,
  );
  assert.ok(
    files.some((file) => file.includes('/rxjs/')) && files.some((file) => file.includes(`/${name}/`)),
  );
  // esbuild lists what the `browser` map turned off as disabled.
  assert.deepEqual(
    files.filter((file) => /node-fetch|cross-fetch/.test(file) && !file.startsWith('(disabled)')),
    [],
  );
  assert.doesNotMatch(code, /node-fetch|XMLHttpRequest|require\(/);
});

await check('streams in a browser, where process and Buffer are unknown', async () => {
  const { code } = await bundle(
    `import { aggregate, streamChatCompletions } from '${name}';
     globalThis.run = (url) => new Promise((resolve, reject) => {
       const types = [];
       streamChatCompletions('Hi', { model: 'm', provider: { name: 'p', baseUrl: url } })
         .pipe(aggregate())
         .subscribe({ next: (e) => types.push(e.type), error: reject, complete: () => resolve(types.join()) });
     });`,
    { format: 'iife' },
  );
  const body = 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\n';
  const { page } = pageBefore(() => new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
  runInNewContext(code, page);
  assert.equal(await page.run('https://provider.example/v1'), 'output_item_done,completed');
});

await check('bundles the Angular entry for browsers', async () => {
  const { files, code } = await bundle(
    `export { injectChat, provideChat } from '${specifier('./angular')}';`,
  );
  assert.ok(files.some((file) => file.includes('/@angular/core/')));
  // Who injects a chat calls the provider through a function of the application.
  assert.doesNotMatch(code, /cross-fetch|node-fetch|require\(|\/chat\/completions/);
});

await check('leaves everything out of a bundle that imports only backoff', async () => {
  const { code } = await bundle(`export { backoff } from '${name}';`);
  assert.ok(code.length < 400, `${code.length} bytes`);
});

await check('leaves nothing in a bundle that imports it for nothing', async () => {
  for (const entry of entries) {
    const { code } = await bundle(`import '${specifier(entry)}';`, { platform: 'node' });
    assert.equal(code.trim(), '', specifier(entry));
  }
});

for (const command of Object.keys(manifest.bin)) {
  await check(`installs the command ${command}`, async () => {
    const file = join(user, 'node_modules', '.bin', command);
    assert.match(
      (await run(file, ['--version'], user)).stdout,
      new RegExp(`${manifest.version.replaceAll('.', '\\.')}\\s*$`),
    );
    assert.notEqual((await run(file, ['--help'], user)).stdout, '');
  });
}

finish();

function bin(tool) {
  return join(root, 'node_modules', '.bin', tool);
}

async function node(...args) {
  return (await run(process.execPath, args, user)).stdout;
}

async function compile(tsc, moduleResolution, file, types) {
  const config = join(user, `tsconfig.${basename(file, '.ts')}.json`);
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable'],
    module: moduleResolution === 'node16' ? 'node16' : 'esnext',
    moduleResolution,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    types,
    typeRoots: types.length > 0 ? [join(root, 'node_modules', '@types')] : [],
  };
  // A package.json decides whether Node takes the file for ESM or CJS: both are asked for.
  for (const type of ['module', 'commonjs']) {
    const folder = join(user, type);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }));
    cpSync(join(user, file), join(folder, file));
    writeFileSync(config, JSON.stringify({ compilerOptions, files: [join(folder, file)] }));
    await run(process.execPath, [tsc, '-p', config], user);
  }
}

/** A declaration file and all that it reaches inside the package. */
function declarationsFrom(entry, seen = new Set()) {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const [, path] of readFileSync(entry, 'utf8').matchAll(/from ['"](\.[^'"]+)\.js['"]/g)) {
    declarationsFrom(join(dirname(entry), `${path}.d.ts`), seen);
  }
  return seen;
}

async function bundle(contents, { format = 'esm', platform = 'browser' } = {}) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: user },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform,
    format,
    logLevel: 'silent',
  });
  return { code: outputFiles[0].text, files: Object.keys(metafile.inputs) };
}
