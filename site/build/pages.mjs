// Makes .pages/, which VitePress builds, of the project's own files: their links are rewritten, their pictures get a
// dark variant, and their code what it takes for given. `--no-reference` leaves typedoc out.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { builtInProviders } from '../../dist/esm/index.js';
import { linkFrom, pageOf, pages, read, root, site, titleOf } from './files.mjs';
import { setupFor } from './setup.mjs';

/** Where the site is served from. */
const base = process.env.SITE_BASE ?? '/';

const write = (file, text) => {
  const path = join(pages, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

rmSync(pages, { recursive: true, force: true });
cpSync(join(site, 'pages'), pages, { recursive: true });

const marbles = new Map(
  readdirSync(join(root, 'docs', 'marbles')).map((file) => [file, read(`docs/marbles/${file}`)]),
);
for (const [file, svg] of marbles) {
  const dark = /@media \(prefers-color-scheme:dark\)\{(svg\{[^}]*\})\}\n?/;
  const [whole, variables] = dark.exec(svg) ?? [];
  if (whole === undefined) throw new Error(`${file} has no dark colours.`);
  write(`public/marbles/${file}`, svg.replace(whole, ''));
  write(`public/marbles/${file.replace('.svg', '.dark.svg')}`, svg.replace(whole, `${variables}\n`));
}

const documents = [...pageOf].map(([file, page]) => ({ file, page, text: pageText(file, read(file)) }));
for (const { file, page, text } of documents) write(page, frontmatter(file) + text);

const start = readFileSync(join(site, 'pages', 'index.md'), 'utf8');
const [snippet] = /^```ts\n[^]+?^```$/m.exec(read('README.md')) ?? [];
write(
  'index.md',
  start
    .replace(/<!-- picture: ([\w-]+) -->/g, (_whole, name) => picture(`Marble diagram of ${name}`, name))
    .replace('<!-- snippet -->', () => withSetup(snippet)),
);

write('public/llms.txt', shortList());
write('public/llms-full.txt', documents.map(({ file }) => read(file).trim()).join('\n\n---\n\n') + '\n');

writeDemo();

if (!process.argv.includes('--no-reference')) {
  const out = join(pages, 'public', 'reference');
  execFileSync(
    process.execPath,
    [
      'node_modules/typedoc/bin/typedoc',
      '--out',
      out,
      '--includeHierarchySummary',
      'false',
      '--titleLink',
      base,
      '--favicon',
      join(site, 'pages', 'public', 'icon.svg'),
    ],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
}

/** The chat of examples/angular, over answers that are scripted in the page: no server, no key. */
function writeDemo() {
  const example = join(root, 'examples', 'angular');
  const built = join(example, 'dist', 'browser');
  if (!existsSync(built)) {
    for (const command of [
      ['ci', '--no-audit', '--no-fund'],
      ['run', 'build'],
    ])
      execFileSync('npm', command, { cwd: example, stdio: 'inherit' });
  }
  cpSync(built, join(pages, 'public', 'demo'), { recursive: true });
  const page = ['<base href="/"', '<meta name="chat-connection" content="fetch"'].reduce(
    (html, element, index) => {
      if (!html.includes(element)) throw new Error(`The chat's page has no ${element}.`);
      return html.replace(
        element,
        [`<base href="${base}demo/"`, '<meta name="chat-connection" content="scripted"'][index],
      );
    },
    readFileSync(join(built, 'index.html'), 'utf8'),
  );
  write('public/demo/index.html', page);
}

/** A page's text: code and prose are told apart, since what looks like a link in code is none. */
function pageText(file, text) {
  const parts = text.split(/^( *```[^]+?^ *```)$/m);
  const rewritten = parts
    .map((part, index) =>
      index % 2 === 0 ? prose(file, part) : isQuote(parts[index - 1]) ? part : withSetup(part),
    )
    .join('');
  return file === 'docs/providers.md' ? rewritten.replace(/^## /m, `${providerTable()}\n\n## `) : rewritten;
}

/** A part of a file of the project, which runs there. */
function isQuote(before) {
  return /<!-- from: \S+ -->\s*$/.test(before);
}

/** `ts` runs as it stands; what it takes for given comes first, in lines that the page hides. */
function withSetup(fence) {
  const [whole, info, code] = /^```(.*)\n([^]*)```$/.exec(fence) ?? [];
  if (whole === undefined || !/^ts( compile)?$/.test(info)) return fence;
  const setup = setupFor(code);
  const marks = [info === 'ts' && 'runs', setup !== '' && `setup-${'x'.repeat(setup.split('\n').length)}`];
  const before = setup === '' ? '' : `${setup}\n`;
  return `\`\`\`ts ${marks.filter(Boolean).join(' ')}\n${before}${code}\`\`\``;
}

function prose(file, text) {
  const spans = text.split(/(`[^`\n]*`)/);
  return spans.map((span, index) => (index % 2 === 1 ? span : linked(file, span))).join('');
}

function linked(file, text) {
  return (
    text
      // The README names its picture by an absolute address, for npm's sake.
      .replace(/!\[([^\]]*)\]\((?:https:\/\/\S+\/docs\/)?marbles\/([\w-]+)\.svg\)/g, (_whole, alt, name) =>
        picture(alt, name),
      )
      .replace(/\]\(([^)\s]+)\)/g, (_whole, target) => `](${linkFrom(file, target)})`)
  );
}

function picture(alt, name) {
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(marbles.get(`${name}.svg`));
  const image = (theme, suffix) =>
    `<img class="marble ${theme}-only" src="/marbles/${name}${suffix}.svg" alt="${alt.replaceAll('"', '&quot;')}" width="${width}" height="${height}" loading="lazy">`;
  return image('light', '') + image('dark', '.dark');
}

function frontmatter(file) {
  const title = file === 'README.md' ? 'Overview' : titleOf(read(file));
  // What is edited is the project's file.
  return `---\ntitle: ${JSON.stringify(title)}\nsource: ${file}\n---\n\n`;
}

function providerTable() {
  const rows = Object.entries(builtInProviders).map(
    ([name, { baseUrl, envKey }]) =>
      `| \`${name}\` | \`${baseUrl}\` | ${envKey ? `\`${envKey}\`` : 'none'} |`,
  );
  return ['## Built in', '', '| `builtInProviders.` | Base URL | Key |', '| --- | --- | --- |', ...rows].join(
    '\n',
  );
}

/** https://llmstxt.org */
function shortList() {
  const { description } = JSON.parse(read('package.json'));
  const line = ({ file, page }) => `- [${titleOf(read(file))}](${base}${page.replace(/\.md$/, '.html')})`;
  const of = (folder) => documents.filter(({ page }) => dirname(page) === folder).map(line);
  return [
    '# rxjs-chat-completions',
    '',
    `> ${description}`,
    '',
    `Everything below in one file: [llms-full.txt](${base}llms-full.txt).`,
    '',
    '## Start',
    '',
    ...of('.'),
    '',
    '## Operators',
    '',
    ...of('operators'),
    '',
    '## Guides',
    '',
    ...of('guides'),
    '',
    '## Optional',
    '',
    ...of('decisions'),
    '',
  ].join('\n');
}
