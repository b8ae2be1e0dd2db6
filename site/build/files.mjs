// Which file of the project becomes which page.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const site = join(dirname(fileURLToPath(import.meta.url)), '..');
export const root = join(site, '..');
export const pages = join(site, '.pages');

export const read = (file) => readFileSync(join(root, file), 'utf8');

const { repository, homepage } = JSON.parse(read('package.json'));
/** Where the sources can be read that are no page. */
export const sources = `${(repository?.url ?? 'https://github.com/OWNER/rxjs-chat-completions').replace(/^git\+|\.git$/g, '')}/blob/main`;
export const [home] = (homepage ?? sources).split('#');

const placed = new Map([
  ['README.md', 'overview.md'],
  ['CHANGELOG.md', 'changelog.md'],
  ['docs/benchmark.md', 'benchmark.md'],
  ['docs/reference.md', 'exports.md'],
  ['docs/recipes.md', 'recipes.md'],
  ['bench/README.md', 'guides/benchmark-method.md'],
  ['docs/README.md', 'guides/index.md'],
  ['docs/start.md', 'start.md'],
  ['docs/operators.md', 'operators/index.md'],
  ['docs/symptoms.md', 'symptoms.md'],
  ['docs/providers.md', 'providers.md'],
  ['docs/reliability.md', 'reliability.md'],
  ['docs/decisions/README.md', 'decisions/index.md'],
]);

const markdownIn = (folder) =>
  readdirSync(join(root, folder))
    .filter((file) => file.endsWith('.md'))
    .toSorted()
    .map((file) => `${folder}/${file}`);

/** File of the project -> page: every page of docs/ is one. */
export const pageOf = new Map(
  [...placed.keys(), ...markdownIn('docs'), ...markdownIn('docs/decisions')].map((file) => [
    file,
    placed.get(file) ?? file.replace(/^docs\/decisions\//, 'decisions/').replace(/^docs\//, 'guides/'),
  ]),
);

export const titleOf = (text) => /^# (.*)$/m.exec(text)?.[1].replaceAll('`', '') ?? '';

/** Where a link of a file leads on the site. */
export function linkFrom(file, target) {
  if (/^(\w+:|#|\/)/.test(target)) return target;
  const [path, anchor] = target.split('#');
  const found = normalize(join(dirname(file), path)).replace(/\/$/, '');
  if (!existsSync(join(root, found))) throw new Error(`${file} links to ${target}, which is nowhere.`);
  const page = pageOf.get(found) ?? pageOf.get(`${found}/README.md`);
  const hash = anchor === undefined ? '' : `#${anchor}`;
  if (page === undefined) return `${sources}/${found}${hash}`;
  const way = relative(dirname(pageOf.get(file)), page);
  return `${way.startsWith('.') ? way : `./${way}`}${hash}`;
}

/** Anchors as GitHub makes them, which is what the links of the project count on. */
export const slugOf = (heading) =>
  heading
    .toLowerCase()
    .trim()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
