// Checks README.md against the sources: its code compiles, its tables and the public surface have the same
// names, and its links lead somewhere.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { checks } from './checks.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const index = join(root, 'src', 'index.ts');
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

const blocks = [...readme.matchAll(/^```ts\n([^]*?)^```$/gm)].map(({ 1: code, index: start }) => ({
  line: readme.slice(0, start).split('\n').length + 1,
  code,
}));

// The files exist in memory alone, beside README.md, so that packages are found as they are from there.
const files = new Map([
  [join(root, 'README.given.ts'), given],
  ...blocks.map(({ line, code }) => [join(root, `README.${line}.ts`), `${code}\nexport {};\n`]),
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
const program = ts.createProgram([...files.keys(), index], compilerOptions, {
  ...disk,
  fileExists: (file) => files.has(file) || disk.fileExists(file),
  readFile: (file) => files.get(file) ?? disk.readFile(file),
  getSourceFile: (file, ...rest) =>
    files.has(file)
      ? ts.createSourceFile(file, files.get(file), compilerOptions.target)
      : disk.getSourceFile(file, ...rest),
});
const checker = program.getTypeChecker();

await check('has code', () => assert.ok(blocks.length > 0));

for (const { line } of blocks) {
  await check(`the code in line ${line} compiles`, () => {
    const source = program.getSourceFile(join(root, `README.${line}.ts`));
    const problems = ts.getPreEmitDiagnostics(program, source).map(({ messageText, start = 0 }) => {
      const at = line + source.getLineAndCharacterOfPosition(start).line;
      return `line ${at}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
    assert.deepEqual(problems, []);
  });
}

const surface = new Map(
  checker
    .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(index)))
    .map((symbol) => [
      symbol.name,
      symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
    ]),
);
const values = [...surface].filter(([, { flags }]) => flags & ts.SymbolFlags.Value).map(([name]) => name);
const errors = values.filter((name) => /Error$/.test(name));
const keysOf = (type) => checker.getPropertiesOfType(type).map(({ name }) => name);
const fieldsOf = (name) => keysOf(checker.getDeclaredTypeOfSymbol(surface.get(name)));

await check('every public name is in it', () => {
  assert.deepEqual(
    values.filter((name) => !new RegExp(`\\b${name}\\b`).test(readme)),
    [],
  );
});

await check('its operators and parts are public', () => {
  const named = firstCells('Operators and parts').map((name) => name.replace(/\(.*/, ''));
  assert.deepEqual(
    named.filter((name) => !values.includes(name)),
    [],
  );
});

await check('its options are those that there are', () => {
  const options = fieldsOf('ChatOptions').filter((name) => name !== 'retry');
  same(firstCells('Options'), [...options, ...fieldsOf('RetryOptions').map((name) => `retry.${name}`)]);
});

await check('its providers and their fields are those that there are', () => {
  const providers = keysOf(checker.getTypeOfSymbol(surface.get('builtInProviders')));
  const named = firstCells('Providers').filter((name) => !name.startsWith('http'));
  same(named, [...fieldsOf('ModelProvider'), ...providers]);
});

await check('its events are those that there are', () => {
  const { types } = checker.getDeclaredTypeOfSymbol(surface.get('ResponseEvent'));
  const names = types.map((type) => checker.getTypeOfSymbol(type.getProperty('type')).value);
  same(firstCells('Events'), names);
});

await check('its errors are those that there are', () => {
  same(
    firstCells('Errors'),
    errors.filter((name) => name !== 'ChatCompletionsError'),
  );
});

await check('its links lead somewhere', () => {
  const anchors = [...readme.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
  const dead = [...readme.matchAll(/\]\(([^)]+)\)/g)]
    .map(([, target]) => target)
    .filter((target) => !/^https?:/.test(target))
    .filter((target) =>
      target.startsWith('#') ? !anchors.includes(target.slice(1)) : !existsSync(join(root, target)),
    );
  assert.deepEqual(dead, []);
});

finish();

function same(actual, expected) {
  assert.deepEqual(actual.toSorted(), expected.toSorted());
}

/** The code in the first cells of a section's tables, without what stands in sections below it. */
function firstCells(heading) {
  const [, section] = new RegExp(`^#+ ${heading}\n([^]*?)(?=^#+ |(?![^]))`, 'm').exec(readme) ?? [];
  assert.ok(section !== undefined, `There is no section "${heading}".`);
  return [...section.matchAll(/^\|([^|]*)\|/gm)]
    .flatMap(([, cell]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code))
    .filter((code) => code !== 'type');
}
