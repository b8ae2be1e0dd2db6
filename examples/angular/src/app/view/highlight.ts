import type { Emitter, HLJSApi, LanguageFn } from 'highlight.js';

/** Loaded when a block of code asks for it, each in a file of its own. */
const languages: Readonly<Record<string, () => Promise<{ readonly default: LanguageFn }>>> = {
  bash: () => import('highlight.js/lib/languages/bash'),
  css: () => import('highlight.js/lib/languages/css'),
  diff: () => import('highlight.js/lib/languages/diff'),
  go: () => import('highlight.js/lib/languages/go'),
  java: () => import('highlight.js/lib/languages/java'),
  javascript: () => import('highlight.js/lib/languages/javascript'),
  json: () => import('highlight.js/lib/languages/json'),
  python: () => import('highlight.js/lib/languages/python'),
  rust: () => import('highlight.js/lib/languages/rust'),
  sql: () => import('highlight.js/lib/languages/sql'),
  typescript: () => import('highlight.js/lib/languages/typescript'),
  xml: () => import('highlight.js/lib/languages/xml'),
  yaml: () => import('highlight.js/lib/languages/yaml'),
};

/** What models call them. */
const aliases: Readonly<Record<string, string>> = {
  cjs: 'javascript',
  golang: 'go',
  html: 'xml',
  js: 'javascript',
  jsx: 'javascript',
  mjs: 'javascript',
  py: 'python',
  rs: 'rust',
  sh: 'bash',
  shell: 'bash',
  svg: 'xml',
  ts: 'typescript',
  tsx: 'typescript',
  yml: 'yaml',
  zsh: 'bash',
};

/** What has a colour, by the first part of highlight.js's names for it (`title.function`). */
const colours: Readonly<Record<string, string>> = {
  addition: 'string',
  attr: 'title',
  attribute: 'title',
  built_in: 'title',
  bullet: 'number',
  char: 'number',
  comment: 'comment',
  deletion: 'deletion',
  doctag: 'keyword',
  keyword: 'keyword',
  literal: 'number',
  meta: 'comment',
  name: 'keyword',
  number: 'number',
  property: 'title',
  quote: 'comment',
  regexp: 'string',
  section: 'title',
  'selector-class': 'title',
  'selector-id': 'title',
  'selector-tag': 'keyword',
  string: 'string',
  symbol: 'number',
  title: 'title',
  type: 'title',
};

/** Characters of a block that are coloured at each frame in which it grows. Grammars are not made for hostile code. */
const longest = 10_000;

const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

const loading = new Map<string, Promise<void>>();
let core: HLJSApi | undefined;

/**
 * Colours code, at once or when its language is loaded. The text stays what it is, and no HTML is written or parsed:
 * there are only text nodes, and spans whose classes are those of `colours`.
 */
export function highlight(code: HTMLElement, name: string): void {
  const language = own(aliases, name.toLowerCase()) ?? name.toLowerCase();
  const load = own(languages, language);
  if (load === undefined || (code.textContent?.length ?? 0) > longest) return;
  if (core?.getLanguage(language) !== undefined) {
    colour(code, language, core);
    return;
  }
  let loaded = loading.get(language);
  if (loaded === undefined) {
    loaded = register(language, load);
    loading.set(language, loaded);
  }
  void loaded.then(
    () => {
      if (code.isConnected && core !== undefined) colour(code, language, core);
    },
    // Without its colours the code is as good. The next block tries again.
    () => loading.delete(language),
  );
}

async function register(
  language: string,
  load: () => Promise<{ readonly default: LanguageFn }>,
): Promise<void> {
  const [{ default: hljs }, { default: grammar }] = await Promise.all([
    import('highlight.js/lib/core'),
    load(),
  ]);
  if (core === undefined) {
    hljs.configure({ __emitter: Nodes });
    core = hljs;
  }
  hljs.registerLanguage(language, grammar);
}

function colour(code: HTMLElement, language: string, hljs: HLJSApi): void {
  const { _emitter: nodes } = hljs.highlight(code.textContent ?? '', { language, ignoreIllegals: true });
  if (nodes instanceof Nodes) code.replaceChildren(nodes.root);
}

/** What highlight.js finds, as nodes where it would write HTML. */
class Nodes implements Emitter {
  readonly root = document.createDocumentFragment();
  readonly #open: ParentNode[] = [this.root];

  addText(text: string): void {
    this.#open.at(-1)?.append(text);
  }

  openNode(scope: string): void {
    const span = document.createElement('span');
    const name = own(colours, scope.split('.', 1)[0] ?? '');
    if (name !== undefined) span.className = `code-${name}`;
    this.#open.at(-1)?.append(span);
    this.#open.push(span);
  }

  closeNode(): void {
    if (this.#open.length > 1) this.#open.pop();
  }

  startScope(scope: string): void {
    this.openNode(scope);
  }

  endScope(): void {
    this.closeNode();
  }

  __addSublanguage(nodes: Emitter): void {
    if (nodes instanceof Nodes) this.#open.at(-1)?.append(nodes.root);
  }

  finalize(): void {}

  toHTML(): string {
    return '';
  }
}
