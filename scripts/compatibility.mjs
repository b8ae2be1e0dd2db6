// Runs the packed library with every Node, TypeScript, bundler and rxjs that it promises to work with.
// `--only node,types,node-types,bundlers,rxjs,angular` runs some of it, `--write` puts what was seen into
// docs/compatibility.md.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { checks } from './checks.mjs';
import { manifest, pack, project, root, run, scratchFolder, versionOf } from './compatibility/packed.mjs';
import { pageBefore } from './compatibility/page.mjs';
import { pool } from './compatibility/pool.mjs';
import { typescript7 } from './compilers.mjs';

const nodes = ['20', '22', '24', 'latest'];
const typescripts = ['5.4', '5.5', '5.9', '6.0', '7'];
const nodeTypes = ['18', '20', '22', '24'];
const resolutions = ['node16', 'nodenext', 'bundler', 'node10'];
const bundlers = ['esbuild', 'vite', 'webpack', 'rollup'];
const rxjsLowest = '7.8.0';
const rxjsNewest = '7.8';
/**
 * With the Node that each runs on, and the TypeScript that its compiler takes. webpack refuses names that a package does
 * not export, and 20 does not have all of them.
 */
const angulars = [
  { version: '20', node: '20', typescript: '5.9', bundlers: ['esbuild', 'webpack'] },
  { version: '21.2', node: '20', typescript: '5.9', bundlers: ['esbuild'] },
  { version: '22', node: '24', typescript: '6.0', bundlers: ['esbuild'] },
];

const sections = {
  node: checkNodes,
  types: checkTypes,
  'node-types': checkNodeTypes,
  bundlers: checkBundlers,
  rxjs: checkRxjs,
  angular: checkAngular,
};
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(sections).join() },
    write: { type: 'boolean', default: false },
  },
});
const chosen = values.only.split(',');
for (const name of chosen) assert.ok(name in sections, `There is no section "${name}".`);

const { check, finish } = checks();
const slot = pool(Math.max(2, availableParallelism()));
const scratch = scratchFolder();
const { tarball } = await pack(scratch);

// Who imports every entry has what `/otel` needs.
const optionalPeer = '@opentelemetry/api@1.9';

// What several sections use is installed once, when the first asks for it.
const userOf = installedOnce((rxjs, typesOfNode = '20') =>
  project(
    join(scratch, `rxjs-${rxjs}-${typesOfNode}`),
    [tarball, `rxjs@${rxjs}`, `@types/node@${typesOfNode}`, optionalPeer],
    join(root, 'spec', 'package'),
    join(root, 'scripts', 'compatibility', 'user'),
  ),
);
const compilers = installedOnce(() =>
  project(
    join(scratch, 'compilers'),
    typescripts.map((version) => `typescript-${version}@npm:typescript@${version}`),
  ),
);
const nodeOf = installedOnce(installedNode);
const programs = ['consumer.mjs', 'consumer.cjs', 'backend-esm.mjs', 'backend-cjs.cjs'];

for (const name of Object.keys(sections).filter((section) => chosen.includes(section))) {
  const begin = performance.now();
  console.log(`\n${name}`);
  const table = await sections[name]();
  console.log(`${name}: ${((performance.now() - begin) / 1000).toFixed(0)} s`);
  if (values.write) put(name, tableOf(table));
}
finish();

async function checkNodes() {
  const runtimes = nodes.map((version) => ({ version, node: later(() => nodeOf(version)) }));
  const rows = runtimes.map(({ version, node }) => {
    const one = (program, ...args) =>
      later(async () => {
        const [{ binary }, user] = await Promise.all([node, userOf(rxjsNewest)]);
        return slot(() => run(binary, [program, ...args], user));
      });
    return {
      version,
      node,
      runs: programs.map((program) => ({ program, ran: one(program) })),
      demo: one(join('node_modules', manifest.name, manifest.bin[manifest.name]), '--demo'),
    };
  });

  const table = [['Node', 'ESM', 'CJS', 'Command line']];
  for (const { version, node, runs, demo } of rows) {
    const marks = { esm: [], cjs: [] };
    for (const { program, ran } of runs) {
      const mark = await cell(`Node ${version} runs ${program}`, async () => finished(await ran));
      marks[program.endsWith('.mjs') ? 'esm' : 'cjs'].push(mark);
    }
    const demonstrated = await cell(`Node ${version} runs the command's demo`, async () =>
      assert.match((await demo).stdout, /^\S.*\n$/s),
    );
    const name = await node.then(
      (found) => found.version,
      () => version,
    );
    table.push([name, all(marks.esm), all(marks.cjs), demonstrated]);
  }
  return table;
}

async function checkTypes() {
  const rows = typescripts.map((version) => ({
    version,
    cells: resolutions.map((resolution) =>
      // TypeScript 7 has no such resolution.
      resolution === 'node10' && version === '7'
        ? undefined
        : { resolution, job: compiled(version, resolution, userOf(rxjsNewest)) },
    ),
  }));

  const table = [['TypeScript', ...resolutions.map((resolution) => `\`${resolution}\``)]];
  for (const { version, cells } of rows) {
    const marks = [];
    for (const one of cells) {
      marks.push(
        one === undefined
          ? 'gone'
          : await cell(`TypeScript ${version} with ${one.resolution} types a program`, () => one.job),
      );
    }
    table.push([await compilerVersion(version), ...marks]);
  }
  return table;
}

/** As a backend compiles: what is global is what the types of Node say, and nothing of a browser. */
async function checkNodeTypes() {
  const lowestAndNewest = [typescripts[0], typescripts.at(-1)];
  const rows = nodeTypes.map((version) => {
    const user = userOf(rxjsNewest, version);
    const jobs = lowestAndNewest.map((compiler) => compiled(compiler, 'nodenext', user, { lib: ['es2022'] }));
    return { version, user, jobs };
  });

  const columns = lowestAndNewest.map(async (version) => `TypeScript ${await compilerVersion(version)}`);
  const table = [['@types/node', ...(await Promise.all(columns))]];
  for (const { version, user, jobs } of rows) {
    const marks = [];
    for (const [place, job] of jobs.entries()) {
      const name = `TypeScript ${lowestAndNewest[place]} types a program without the DOM, with @types/node ${version}`;
      marks.push(await cell(name, () => job));
    }
    const name = await user.then(
      (folder) => versionOf(folder, '@types/node'),
      () => version,
    );
    table.push([name, ...marks]);
  }
  return table;
}

function compiled(version, resolution, user, options) {
  return later(async () => {
    const [folder, program] = await Promise.all([compilers(), user]);
    const tsc = join(folder, 'node_modules', `typescript-${version}`, 'bin', 'tsc');
    return slot(() => compile(tsc, version, resolution, program, options));
  });
}

async function compilerVersion(version) {
  return compilers().then(
    (folder) => versionOf(folder, `typescript-${version}`),
    () => version,
  );
}

async function checkBundlers() {
  const tools = later(() =>
    slot(() =>
      project(
        join(scratch, 'bundlers'),
        [...bundlers, '@rollup/plugin-node-resolve', tarball, `rxjs@${rxjsNewest}`, optionalPeer],
        join(root, 'scripts', 'compatibility', 'user'),
      ),
    ),
  );
  const bundles = bundlers.map((bundler) => ({
    bundler,
    bundled: later(async () => {
      const folder = await tools;
      // Beside the packages that it loads.
      cpSync(join(root, 'scripts', 'compatibility', 'bundle.mjs'), join(folder, 'bundle.mjs'));
      const output = join('bundled', bundler, 'turn.js');
      await slot(() => run(process.execPath, ['bundle.mjs', bundler, 'turn.js', output], folder));
      const parts = readdirSync(join(folder, 'bundled', bundler));
      return {
        entry: readFileSync(join(folder, output), 'utf8'),
        all: parts.map((part) => readFileSync(join(folder, 'bundled', bundler, part), 'utf8')),
      };
    }),
  }));

  const table = [['Bundler', 'A turn', 'Without cross-fetch', 'Bytes', 'Compressed']];
  for (const { bundler, bundled } of bundles) {
    const turn = await cell(`a turn runs in a page that ${bundler} bundled`, async () =>
      inPage((await bundled).entry),
    );
    const lean = await cell(`${bundler} leaves cross-fetch out of a page`, async () =>
      assert.doesNotMatch((await bundled).all.join('\n'), /node-fetch|XMLHttpRequest|\brequire\(/),
    );
    const [version, parts] = await Promise.all([tools, bundled]).then(
      ([folder, { all: parts }]) => [versionOf(folder, bundler), parts],
      () => ['', []],
    );
    const sum = (sizeOf) => parts.reduce((total, part) => total + sizeOf(part), 0);
    const [bytes, compressed] = [sum(Buffer.byteLength), sum((part) => gzipSync(part).length)];
    table.push([
      `${bundler} ${version}`,
      turn,
      lean,
      bytes.toLocaleString('en'),
      compressed.toLocaleString('en'),
    ]);
    console.log(`      ${bundler} ${version}: ${bytes} bytes, ${compressed} compressed`);
  }
  return table;
}

async function checkRxjs() {
  const rows = [rxjsLowest, rxjsNewest].map((version) => {
    const inUser = (job) =>
      later(async () => {
        const user = await userOf(version);
        return slot(() => job(user));
      });
    return {
      version,
      runs: programs.map((program) => ({
        program,
        ran: inUser((user) => run(process.execPath, [program], user)),
      })),
      types: inUser((user) => compile(typescript7, '7', 'nodenext', user)),
    };
  });

  const table = [['rxjs', 'ESM', 'CJS', 'Types']];
  for (const { version, runs, types } of rows) {
    const marks = { esm: [], cjs: [] };
    for (const { program, ran } of runs) {
      const mark = await cell(`rxjs ${version} serves ${program}`, async () => finished(await ran));
      marks[program.endsWith('.mjs') ? 'esm' : 'cjs'].push(mark);
    }
    const typed = await cell(`rxjs ${version} types a program`, () => types);
    const name = await userOf(version).then(
      (user) => versionOf(user, 'rxjs'),
      () => version,
    );
    table.push([name, all(marks.esm), all(marks.cjs), typed]);
  }
  return table;
}

/** Without a browser: what the entry does with signals, effects and injectors is Angular's core alone. */
async function checkAngular() {
  const rows = angulars.map(({ version, node, typescript, bundlers: bundledBy }) => {
    const user = later(() =>
      slot(() =>
        project(
          join(scratch, `angular-${version}`),
          [
            ...[tarball, `rxjs@${rxjsNewest}`, ...bundledBy],
            ...['core', 'compiler'].map((name) => `@angular/${name}@${version}`),
          ],
          join(root, 'scripts', 'compatibility', 'angular'),
        ),
      ),
    );
    const inUser = (job) => later(async () => job(await user, (await nodeOf(node)).binary));
    return {
      version,
      typescript,
      user,
      esm: inUser((folder, binary) => slot(() => run(binary, ['esm.mjs'], folder))),
      cjs: inUser((folder, binary) => slot(() => run(binary, ['cjs.cjs'], folder))),
      bundled: bundledBy.map((bundler) => ({
        bundler,
        ran: inUser((folder, binary) =>
          slot(async () => {
            cpSync(join(root, 'scripts', 'compatibility', 'bundle.mjs'), join(folder, 'bundle.mjs'));
            const output = join('bundled', `${bundler}.cjs`);
            await run(process.execPath, ['bundle.mjs', bundler, 'esm.mjs', output], folder);
            return run(binary, [output], folder);
          }),
        ),
      })),
      types: later(async () => {
        const [folder, compiler] = await Promise.all([user, compilers()]);
        const tsc = join(compiler, 'node_modules', `typescript-${typescript}`, 'bin', 'tsc');
        return slot(() => compileForAngular(tsc, folder));
      }),
    };
  });

  const table = [['@angular/core', 'ESM', 'CJS', 'Bundled', 'Types']];
  for (const { version, typescript, user, esm, cjs, bundled, types } of rows) {
    const ran = async (job) => {
      const { stdout, stderr } = await job;
      assert.deepEqual([stdout, stderr], ['injectChat, turnResource\n', '']);
    };
    const marks = [
      await cell(`Angular ${version} runs a chat in ESM`, () => ran(esm)),
      await cell(`Angular ${version} runs a chat in CJS`, () => ran(cjs)),
    ];
    const packed = [];
    for (const { bundler, ran: job } of bundled) {
      const title = `Angular ${version} runs a chat that ${bundler} bundled for browsers`;
      packed.push(await cell(title, () => ran(job)));
    }
    marks.push(all(packed));
    marks.push(await cell(`Angular ${version} with TypeScript ${typescript} types a program`, () => types));
    const name = await user.then(
      (folder) => versionOf(folder, '@angular/core'),
      () => version,
    );
    table.push([name, ...marks]);
  }
  return table;
}

/** As Angular's own builder compiles, and as Node does, where a CommonJS file may load ES modules. */
async function compileForAngular(tsc, folder) {
  for (const module of ['preserve', 'nodenext']) {
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2022', 'dom', 'dom.iterable', 'esnext.disposable'],
      module,
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      types: [],
    };
    for (const type of ['module', 'commonjs']) {
      mkdirSync(join(folder, type), { recursive: true });
      writeFileSync(join(folder, type, 'package.json'), JSON.stringify({ type }));
      cpSync(join(folder, 'types.ts'), join(folder, type, 'types.ts'));
    }
    const config = join(folder, `tsconfig.${module}.json`);
    writeFileSync(config, JSON.stringify({ compilerOptions, include: ['module', 'commonjs'] }));
    await run(process.execPath, [tsc, '-p', config], folder);
  }
}

/** The binary of a Node: this process's own where it is of that version, else one from npm. */
async function installedNode(version) {
  const own = process.versions.node;
  if (own.split('.')[0] === version) return { binary: process.execPath, version: own };
  const system = process.platform === 'win32' ? 'win' : process.platform;
  const prefix = system === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  // The package `node` fetches this one in an install script, which npm may refuse to run.
  const name = `${prefix}-${system}-${process.arch}`;
  const folder = await project(join(scratch, `node-${version}`), [`${name}@${version}`]);
  const binary = join(folder, 'node_modules', name, 'bin', system === 'win' ? 'node.exe' : 'node');
  return { binary, version: (await run(binary, ['--version'])).stdout.trim().slice(1) };
}

async function compile(tsc, version, moduleResolution, user, { lib } = {}) {
  const everyEntry = ['types-root.ts', 'types-browser.ts', 'types-node.ts'];
  // It knows nothing of `exports`: what it finds beside the root stands in `typesVersions`.
  const files =
    moduleResolution === 'node10' && manifest.typesVersions === undefined ? ['types-root.ts'] : everyEntry;
  const module = { bundler: 'esnext', node10: 'commonjs' }[moduleResolution] ?? moduleResolution;
  const folder = join(user, `typescript-${version}-${[moduleResolution, ...(lib ?? [])].join('-')}`);
  // A package.json decides whether Node takes a file for ESM or CJS: both are asked for.
  for (const type of ['module', 'commonjs']) {
    mkdirSync(join(folder, type), { recursive: true });
    writeFileSync(join(folder, type, 'package.json'), JSON.stringify({ type }));
    for (const file of files) cpSync(join(user, file), join(folder, type, file));
  }
  const compilerOptions = {
    target: 'es2022',
    lib: lib ?? ['es2022', 'dom', 'dom.iterable'],
    module,
    moduleResolution,
    ...(moduleResolution === 'node10' && version === '6.0' && { ignoreDeprecations: '6.0' }),
    strict: true,
    skipLibCheck: false,
    // TypeScript's own libraries take a third of the time, and are not asked about.
    skipDefaultLibCheck: true,
    noEmit: true,
    types: ['node'],
  };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, include: ['module', 'commonjs'] }),
  );
  await run(process.execPath, [tsc, '-p', folder], user);
}

/** Runs a bundle where nothing of Node is known, against a provider that answers at once. */
async function inPage(code) {
  const { page, requests } = pageBefore(
    () =>
      new Response('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\n', {
        headers: { 'content-type': 'text/event-stream' },
      }),
  );
  runInNewContext(code, page);
  const [message, completed] = await page.turn('https://provider.example/v1');
  assert.deepEqual(requests, ['https://provider.example/v1/chat/completions']);
  assert.equal(message.item.content[0].text, 'Hi');
  assert.equal(completed.type, 'completed');
}

// A program that waits for ever ends with exit code 0 once nothing is left to wait for: its last word counts.
function finished({ stdout, stderr }) {
  assert.equal(stdout, 'done\n');
  assert.equal(stderr, '');
}

/** Begins a job whose failure is told by the check that waits for it. */
function later(job) {
  const running = job();
  running.catch(() => {});
  return running;
}

function installedOnce(install) {
  const installed = new Map();
  return (...versions) => {
    const key = versions.join();
    if (!installed.has(key))
      installed.set(
        key,
        later(() => slot(() => install(...versions))),
      );
    return installed.get(key);
  };
}

/** A check as a table shows it. */
async function cell(name, job) {
  let mark = '✗';
  await check(name, async () => {
    await job();
    mark = '✓';
  });
  return mark;
}

function all(marks) {
  return marks.every((mark) => mark === '✓') ? '✓' : '✗';
}

/** Puts a text between its marks on the page. */
function put(mark, text) {
  const file = join(root, 'docs', 'compatibility.md');
  const document = readFileSync(file, 'utf8');
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`];
  const before = document.slice(0, document.indexOf(begin) + begin.length);
  writeFileSync(file, `${before}\n\n${text}\n\n${document.slice(document.indexOf(end))}`);
}

function tableOf([head, ...rows]) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
