// Checks README.md and the pages in docs against the sources and the build: their code compiles and runs, what they
// quote stands where they say, their links lead somewhere, and the tables of docs/reference.md and the public surface
// have the same names.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { startMockProvider } from '../dist/esm/mock-provider/index.js';
import { checks } from './checks.mjs';
import { answer } from './docs/answer.mjs';
import { deadLinks, linkedFrom, misquoted, readDocuments } from './docs/documents.mjs';
import { blockRunner } from './docs/run-block.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const documents = readDocuments(root);
const documentNamed = (name) => documents.find(({ file }) => file === name);
const { text: reference } = documentNamed('docs/reference.md');
const index = join(root, 'src', 'index.ts');
const entries = [
  index,
  ...['testing', 'mock-provider', 'node', 'json', 'otel', 'shared', 'redis', 'angular'].map((entry) =>
    join(root, 'src', entry, 'index.ts'),
  ),
];
const { check, finish } = checks();

/** What the blocks take for given, in words around them. */
const given = `
  import type { Observable } from 'rxjs';
  import type { ChatOptions, ModelProvider, ResponseEvent } from 'rxjs-chat-completions';
  declare global {
    const options: ChatOptions;
    const provider: ModelProvider;
    const turn: Observable<ResponseEvent>;
    const apiKey: string;
    const button: EventTarget;
    function show(text: string): void;
    function store(text: string): Promise<void>;
    function weather(json: string): string;
  }`;

const blocks = documents.flatMap(({ file, blocks }) =>
  blocks.map((block) => ({ ...block, file, name: `${file}:${block.line}` })),
);
const compiled = blocks.filter(({ how }) => how !== 'quote');

// The files exist in memory alone, beside their documents, so that packages are found as they are from there.
const files = new Map([
  [join(root, 'README.given.ts'), given],
  ...compiled.map(({ file, line, code }) => [join(root, `${file}.${line}.ts`), `${code}\nexport {};\n`]),
]);
const compilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: ['node'],
  typeRoots: [join(root, 'node_modules', '@types')],
  paths: {
    'rxjs-chat-completions': [index],
    'rxjs-chat-completions/*': [join(root, 'src/*/index.ts')],
  },
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: true,
  noEmit: true,
};
const disk = ts.createCompilerHost(compilerOptions);
const program = ts.createProgram([...files.keys(), ...entries], compilerOptions, {
  ...disk,
  fileExists: (file) => files.has(file) || disk.fileExists(file),
  readFile: (file) => files.get(file) ?? disk.readFile(file),
  getSourceFile: (file, ...rest) =>
    files.has(file)
      ? ts.createSourceFile(file, files.get(file), compilerOptions.target)
      : disk.getSourceFile(file, ...rest),
});
const checker = program.getTypeChecker();

await check('there is code', () => assert.ok(blocks.length > 0));

for (const { file, line, name } of compiled) {
  await check(`the code in ${name} compiles`, () => {
    const source = program.getSourceFile(join(root, `${file}.${line}.ts`));
    const problems = ts.getPreEmitDiagnostics(program, source).map(({ messageText, start = 0 }) => {
      const at = line + source.getLineAndCharacterOfPosition(start).line;
      return `line ${at}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
    assert.deepEqual(problems, []);
  });
}

const mock = await startMockProvider({ answers: answer });
const runner = blockRunner(root, mock.baseUrl);
runner.prepare(
  ['network.mjs', 'given.mjs']
    .map((file) => readFileSync(join(root, 'scripts', 'docs', file), 'utf8'))
    .join('\n'),
);
const running = blocks.filter(({ how }) => how === 'run');
const failures = new Map();
const waiting = [...running];
const worker = async () => {
  for (let block; (block = waiting.shift()) !== undefined;) {
    failures.set(block, await runner.run(block.name, block.code));
  }
};
await Promise.all([worker(), worker()]);
await mock.close();

for (const block of running) {
  await check(`the code in ${block.name} runs`, () => assert.equal(failures.get(block), undefined));
}

for (const { name, ...block } of blocks.filter(({ how }) => how === 'quote')) {
  await check(`the code in ${name} stands in ${block.from}`, () =>
    assert.equal(misquoted(root, block), undefined),
  );
}

for (const document of documents) {
  await check(`the links of ${document.file} lead somewhere`, () =>
    assert.deepEqual(deadLinks(root, documents, document), []),
  );
}

await check('each page of docs is listed in the README of its folder, and that in docs/README.md', () => {
  const listOf = (file) => (basename(file) === 'README.md' ? 'docs/README.md' : `${dirname(file)}/README.md`);
  const pages = documents.map(({ file }) => file).filter((file) => /^docs\/(?!README)/.test(file));
  assert.deepEqual(
    pages.filter((page) => !linkedFrom(documentNamed(listOf(page))).includes(page)),
    [],
  );
});

await check('the rooms of docs/ARCHITECTURE.md are the folders of src', () => {
  const rooms = readdirSync(join(root, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${name}/`);
  same(firstCells('Rooms', documentNamed('docs/ARCHITECTURE.md').text), rooms);
});

await check('the decisions that comments name are on record', () => {
  const records = documents.map(({ file }) => file).filter((file) => /^docs\/decisions\/\d/.test(file));
  const sources = readdirSync(join(root, 'src'), { recursive: true }).filter((file) => file.endsWith('.ts'));
  const unknown = sources.flatMap(
    (file) =>
      readFileSync(join(root, 'src', file), 'utf8')
        .match(/docs\/decisions\/[\w./-]*\w/g)
        ?.filter((name) => !records.some((record) => record === name || record.startsWith(`${name}-`)))
        .map((name) => `src/${file}: ${name}`) ?? [],
  );
  assert.deepEqual(unknown, []);
});

const surfaceOf = (entry) =>
  new Map(
    checker
      .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry)))
      .map((symbol) => [
        symbol.name,
        symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
      ]),
  );
const valuesOf = (entry) =>
  [...surfaceOf(entry)].filter(([, { flags }]) => flags & ts.SymbolFlags.Value).map(([name]) => name);
const surface = surfaceOf(index);
const values = valuesOf(index);
const errors = values.filter((name) => /Error$/.test(name));
const keysOf = (type) => checker.getPropertiesOfType(type).map(({ name }) => name);
const fieldsOf = (name) => keysOf(checker.getDeclaredTypeOfSymbol(surface.get(name)));

await check('every public name is in docs/reference.md', () => {
  assert.deepEqual(
    values.filter((name) => !new RegExp(`\\b${name}\\b`).test(reference)),
    [],
  );
});

await check("the reference's operators and parts are public", () => {
  const named = firstCells('Operators and parts').map((name) => name.replace(/\(.*/, ''));
  assert.deepEqual(
    named.filter((name) => !entries.flatMap(valuesOf).includes(name)),
    [],
  );
});

await check("the reference's options are those that there are", () => {
  const options = fieldsOf('ChatOptions').filter((name) => name !== 'retry');
  same(firstCells('Options'), [...options, ...fieldsOf('RetryOptions').map((name) => `retry.${name}`)]);
});

await check("the reference's providers and their fields are those that there are", () => {
  const providers = keysOf(checker.getTypeOfSymbol(surface.get('builtInProviders')));
  const named = firstCells('Providers').filter((name) => !name.startsWith('http'));
  same(named, [...fieldsOf('ModelProvider'), ...providers]);
});

await check("the reference's events are those that there are", () => {
  const { types } = checker.getDeclaredTypeOfSymbol(surface.get('RunEvent'));
  const names = types.map((type) => checker.getTypeOfSymbol(type.getProperty('type')).value);
  same(firstCells('Events'), names);
});

await check("the reference's errors are those that there are", () => {
  same(
    firstCells('Errors'),
    errors.filter((name) => name !== 'ChatCompletionsError'),
  );
});

finish();

function same(actual, expected) {
  assert.deepEqual(actual.toSorted(), expected.toSorted());
}

/** The code in the first cells of a section's tables, without what stands in sections below it. */
function firstCells(heading, text = reference) {
  const [, section] = new RegExp(`^#+ ${heading}\n([^]*?)(?=^#+ |(?![^]))`, 'm').exec(text) ?? [];
  assert.ok(section !== undefined, `There is no section "${heading}".`);
  return [...section.matchAll(/^\|([^|]*)\|/gm)]
    .flatMap(([, cell]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code))
    .filter((code) => code !== 'type');
}
