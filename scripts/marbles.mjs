// Draws docs/marbles/*.svg and docs/operators.md from the specs: the tests that stand in marbles/pictures.mjs
// run, and what happened in them is drawn. `--check` writes nothing, and fails where docs/ says anything else.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { checks } from './checks.mjs';
import { draw } from './marbles/draw.mjs';
import { pictures } from './marbles/pictures.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const docs = join(root, 'docs');
const checking = process.argv.includes('--check');
const { check, finish } = checks();
const read = (file) => readFileSync(join(root, file), 'utf8');

const operators = publicOperators();
const records = run();

for (const picture of pictures) {
  await check(`docs/marbles/${picture.name}.svg shows what happens`, () => {
    const record = records.get(picture.test);
    assert.ok(record, `${picture.spec} has no test "${picture.test}" that passes.`);
    const { code, text } = testIn(picture);
    for (const part of picture.call.split('…')) {
      assert.ok((picture.call.includes('…') ? text : code).includes(part), `The test does not call ${part}.`);
    }
    same(join('marbles', `${picture.name}.svg`), draw(picture, record));
  });
}

await check('every public operator has a picture', () => {
  const shown = new Set(pictures.map(({ of }) => of));
  assert.deepEqual(
    [...operators.keys()].filter((name) => !shown.has(name)),
    [],
  );
});

await check('docs/operators.md is what the sources say', () => same('operators.md', page()));

await check('there is no picture of anything else', () => {
  const known = pictures.map(({ name }) => `${name}.svg`);
  const others = readdirSync(join(docs, 'marbles')).filter((file) => !known.includes(file));
  assert.deepEqual(others, []);
});

finish();

/** Runs the tests, and gives what the recorder wrote of those that passed. */
function run() {
  const folder = mkdtempSync(join(tmpdir(), 'marbles-'));
  const [report, record] = [join(folder, 'report.json'), join(folder, 'record.jsonl')];
  try {
    writeFileSync(record, '');
    const exact = pictures.map(({ test }) => test.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const { stderr } = spawnSync(
      process.execPath,
      [
        join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
        ...['--config', join(root, 'scripts', 'marbles', 'jest.config.cjs')],
        ...['--json', '--outputFile', report, '--coverage=false'],
        ...['--testNamePattern', `^(${exact.join('|')})$`],
        ...['--runTestsByPath', ...new Set(pictures.map(({ spec }) => spec))],
      ],
      { cwd: root, env: { ...process.env, MARBLES_RECORD: record }, encoding: 'utf8' },
    );
    let results;
    try {
      results = JSON.parse(readFileSync(report, 'utf8'));
    } catch {
      throw new Error(`The specs did not run.\n${stderr}`);
    }
    const passed = new Set(
      results.testResults
        .flatMap(({ assertionResults }) => assertionResults)
        .filter(({ status }) => status === 'passed')
        .map(({ fullName }) => fullName),
    );
    const records = readFileSync(record, 'utf8').trim().split('\n').filter(Boolean);
    return new Map(
      records
        .map((each) => JSON.parse(each))
        .filter(({ test }) => passed.has(test))
        .map((each) => [each.test, each])
        .reverse(), // of several runs in one test, the first
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The code of a picture's test, in which its call has to stand, and that of the whole spec. */
function testIn({ spec, test }) {
  const text = read(spec);
  const source = ts.createSourceFile(spec, text, ts.ScriptTarget.Latest, true);
  let found;
  const visit = (node) => {
    if (
      ts.isCallExpression(node) &&
      node.expression.getText() === 'it' &&
      ts.isStringLiteralLike(node.arguments[0]) &&
      test.endsWith(` ${node.arguments[0].text}`)
    ) {
      found = node;
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  assert.ok(found, `${spec} has no test "${test}".`);
  const line = source.getLineAndCharacterOfPosition(found.getStart()).line + 1;
  return { code: found.getText().replace(/\s+/g, ' '), text, line };
}

/** The functions of the public surface that give operators: their signature and what is said of them. */
function publicOperators() {
  return new Map(['src/index.ts', 'src/json/index.ts'].flatMap((entry) => [...operatorsOf(entry)]));
}

function operatorsOf(entry) {
  const index = ts.createSourceFile(entry, read(entry), ts.ScriptTarget.Latest, true);
  const found = new Map();
  for (const statement of index.statements) {
    if (!ts.isExportDeclaration(statement) || statement.isTypeOnly || !statement.exportClause) continue;
    if (!statement.moduleSpecifier.text.startsWith('.')) continue;
    const file = join(dirname(entry), statement.moduleSpecifier.text.replace(/\.js$/, '.ts'));
    const names = statement.exportClause.elements
      .filter(({ isTypeOnly }) => !isTypeOnly)
      .map(({ name }) => name.text);
    const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true);
    for (const declaration of source.statements) {
      if (!ts.isFunctionDeclaration(declaration) || !names.includes(declaration.name?.text)) continue;
      // Of several overloads, the first says what it is.
      if (found.has(declaration.name.text)) continue;
      const operator = /OperatorFunction</.test(declaration.type?.getText() ?? '');
      const pictured = pictures.some(({ of }) => of === declaration.name.text);
      if (operator || pictured) found.set(declaration.name.text, describe(declaration, file));
    }
  }
  return found;
}

function describe(declaration, file) {
  const generics = declaration.typeParameters?.map((each) => each.getText()).join(', ');
  const parameters = declaration.parameters.map((each) => each.getText().replace(/\s+/g, ' ')).join(', ');
  const type = declaration.type.getText().replace(/\s+/g, ' ');
  const name = declaration.name.text;
  const [doc] = ts.getJSDocCommentsAndTags(declaration);
  assert.ok(doc, `${name} has no doc comment.`);
  const [first] = ts.getTextOfJSDocComment(doc.comment).split(/\n\s*\n/);
  return {
    file,
    signature: `${name}${generics ? `<${generics}>` : ''}(${parameters}): ${type}`,
    summary: first.replace(/\s+/g, ' ').trim(),
  };
}

/** docs/operators.md */
function page() {
  const names = [...new Set(pictures.map(({ of }) => of))];
  const sections = names.map((name) => {
    const { file, signature, summary } = operators.get(name) ?? {};
    assert.ok(file, `${name} is not public.`);
    const shown = pictures.filter(({ of }) => of === name);
    return [
      `## ${name}`,
      summary,
      ...shown.map((picture) => `![${alt(picture)}](marbles/${picture.name}.svg)`),
      `\`${signature}\``,
      `[Source](../${file}), [spec](../${shown[0].spec}).`,
    ].join('\n\n');
  });
  return `# Operators

Find an operator and see what it does over time. \`node scripts/marbles.mjs\` draws each picture from a test that ran: above the box is what its sources emitted, below it what came out, each at its millisecond. CI runs the tests again and fails if a picture differs.

A round or long shape is a value; values of the same instant are stacked in order. A bar is the completion, a cross an error. A line is bold while subscribed. An open circle, or a short bar beside a value, marks an unsubscribe; pale values were never emitted, because nobody was subscribed any more. A broken line is a shortened silence.

${names.map((name) => `[${name}](#${name.toLowerCase()})`).join(' · ')}

${sections.join('\n\n')}
`;
}

function alt({ test, call }) {
  return `Marble diagram of ${call}: ${test.replace(/^\w+ /, '')}`.replace(/[[\]]/g, '');
}

function same(file, text) {
  const path = join(docs, file);
  if (!checking) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return;
  }
  let old = '';
  try {
    old = readFileSync(path, 'utf8');
  } catch {
    // It is not there, so it differs.
  }
  assert.ok(old === text, `docs/${file} differs from what the specs say now: run node scripts/marbles.mjs.`);
}
