// What README.md and the pages in docs hold: their code, links and headings.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** Folders of pages; docs/api holds reports, which no one writes by hand. */
const folders = ['docs', 'docs/decisions'];

/**
 * @typedef {object} Block
 * @property {number} line - where its code begins
 * @property {string} code
 * @property {'run' | 'compile' | 'quote'} how - ```ts is run, ```ts compile is compiled alone, and what stands
 * below `<!-- from: FILE -->`, in any language, is quoted from that file
 * @property {string} [from]
 */

export function readDocuments(root) {
  return ['README.md', ...folders.flatMap((folder) => pagesIn(root, folder))].map((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const prose = text.replace(/^( *)```[^]+?^\1```$/gm, (code) => code.replace(/[^\n]/g, ''));
    return { file, text, prose, blocks: blocksOf(file, text) };
  });
}

const pagesIn = (root, folder) =>
  readdirSync(join(root, folder))
    .filter((file) => file.endsWith('.md'))
    .toSorted()
    .map((file) => `${folder}/${file}`);

/** @returns {Block[]} */
function blocksOf(file, text) {
  const blocks = [];
  for (const match of text.matchAll(/^(<!-- from: (\S+) -->\s*\n)?( *)```(.*)\n([^]*?)^\3```$/gm)) {
    const [whole, comment = '', from, indent, language, code] = match;
    const line = text.slice(0, match.index + comment.length).split('\n').length + 1;
    const [name, ...words] = language.trim().split(/ +/);
    if (from !== undefined) blocks.push({ line, code, how: 'quote', from });
    else if (name === 'ts' && indent === '' && words.length === 0) blocks.push({ line, code, how: 'run' });
    else if (name === 'ts' && indent === '' && words.join() === 'compile')
      blocks.push({ line, code, how: 'compile' });
    else if (/^(ts|tsx|typescript)$/.test(name) || whole.includes('<!-- from:'))
      throw new Error(`${file}:${line}: nobody would check this code.`);
  }
  return blocks;
}

/** What is missing of a quotation: its parts, between comments of `…` alone, stand in the file in this order. */
export function misquoted(root, { code, from }) {
  const file = join(root, from);
  if (!existsSync(file)) return `There is no ${from}.`;
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trimEnd());
  const parts = code
    .trimEnd()
    .split(/^ *(?:\/\/|#|<!--) *…(?: *-->)?$/m)
    .map((part) => withoutBlankEnds(part.split('\n')));
  const quoted = parts.filter(([first]) => first !== '');
  if (quoted.length === 0) return `Nothing of ${from} is quoted.`;
  let start = 0;
  for (const part of quoted) {
    const at = indexOfPart(lines, part, start);
    if (at === -1) return `${from} does not hold:\n${part.join('\n')}`;
    start = at + part.length;
  }
  return undefined;
}

function withoutBlankEnds(lines) {
  const first = lines.findIndex((line) => line !== '');
  return first === -1 ? [''] : lines.slice(first, lines.findLastIndex((line) => line !== '') + 1);
}

/** Where a part stands, indented as a whole or not. */
function indexOfPart(lines, part, from) {
  for (let at = from; at + part.length <= lines.length; at += 1) {
    const indent = /^ */.exec(lines[at])[0].length - /^ */.exec(part[0])[0].length;
    const indented = (line) =>
      line === '' ? '' : indent >= 0 ? ' '.repeat(indent) + line : line.slice(-indent);
    if (part.every((line, index) => lines[at + index] === indented(line))) return at;
  }
  return -1;
}

/** The links of a document that lead nowhere. */
export function deadLinks(root, documents, { file, prose }) {
  const anchorsOf = (path) => {
    const known = documents.find((document) => document.file === path);
    return anchorsIn(known?.prose ?? readFileSync(join(root, path), 'utf8'));
  };
  return targetsIn(prose).filter((target) => {
    if (/^(https?|mailto):/.test(target)) return false;
    const [path, anchor] = target.split('#');
    const full = path === '' ? file : normalize(join(dirname(file), path));
    if (full.startsWith('..') || !existsSync(join(root, full))) return true;
    return anchor !== undefined && !(full.endsWith('.md') && anchorsOf(full).includes(anchor));
  });
}

/** The documents that a document links to. */
export function linkedFrom({ file, prose }) {
  return targetsIn(prose)
    .filter((target) => !/^(https?:|#)/.test(target))
    .map((target) => normalize(join(dirname(file), target.split('#')[0])));
}

const targetsIn = (prose) =>
  [...prose.replace(/`[^`\n]*`/g, '').matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)].map(([, target]) => target);

/** As GitHub makes them of headings: a second one of the same name is numbered. */
function anchorsIn(prose) {
  const counts = new Map();
  return [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => {
    const slug = heading
      .replace(/\[([^[\]]*)\]\([^()]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    const count = counts.get(slug) ?? 0;
    counts.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}
