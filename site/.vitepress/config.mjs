import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitepress';
import { home, pages, root, slugOf, sources } from '../build/files.mjs';

const library = join(root, 'dist', 'esm');

const item = (link, text) => {
  const file = join(pages, `${link.endsWith('/') ? `${link}index` : link}.md`);
  if (!existsSync(file)) return [];
  const [, title] = /^title: (.*)$/m.exec(readFileSync(file, 'utf8')) ?? [];
  return [{ text: text ?? JSON.parse(title), link }];
};
const guides = (...names) => names.flatMap((name) => item(`/guides/${name}`));

const groups = [
  [
    'Start',
    [
      ...item('/start', 'In a minute'),
      ...item('/overview', 'Overview'),
      ...item('/recipes'),
      ...guides('cookbook', 'coming-from'),
    ],
  ],
  [
    'Find it',
    [
      { text: 'Wire playground', link: '/playground' },
      { text: 'Live chat in Angular', link: '/demo/index.html', target: '_self' },
      ...item('/symptoms', 'Recipes by symptom'),
      { text: 'Which operator?', link: '/operators/which' },
      ...item('/exports', 'Exports, options, events, errors'),
      ...item('/operators/', 'Operators in pictures'),
    ],
  ],
  [
    'One turn',
    guides(
      'retries-and-limits',
      'when-the-stream-breaks',
      'more-than-one-provider',
      'limits',
      'structured-answers',
      'tool-calls',
      'what-goes-back',
    ),
  ],
  [
    'Applications',
    guides(
      'angular',
      'backends',
      'runs',
      'mcp',
      'tabs',
      'shared-turns',
      'testing',
      'tracing',
      'deployment',
      'security',
    ),
  ],
];
const rest = [
  ...item('/providers'),
  ...item('/reliability'),
  ...item('/benchmark'),
  ...item('/guides/benchmark-method', 'How it is measured'),
  ...guides(
    'ARCHITECTURE',
    'command-line',
    'compatibility',
    'rxjs-9',
    'hostile-servers',
    'leaks-and-load',
    'mutation-testing',
  ),
  ...item('/decisions/', 'Decisions'),
  ...item('/changelog'),
];
const listed = new Set([...groups.flatMap(([, items]) => items), ...rest].map(({ link }) => link));
// A page that nobody has put into a group is found all the same.
const others = readdirSync(join(pages, 'guides'))
  .map((file) => `/guides/${file.replace(/\.md$/, '')}`)
  .filter((link) => link !== '/guides/index' && !listed.has(link))
  .flatMap((link) => item(link));
const decisions = readdirSync(join(pages, 'decisions'))
  .filter((file) => /^\d/.test(file))
  .flatMap((file) => item(`/decisions/${file.replace(/\.md$/, '')}`));

const sidebar = [
  ...groups.map(([text, items]) => ({ text, items })),
  {
    text: 'More',
    items: [...others, ...rest, { text: 'Reference', link: '/reference/index.html', target: '_self' }],
  },
];

/** The lines that a block's copy needs and its reader does not, in an element of their own. */
const setupLines = {
  name: 'setup-lines',
  code(node) {
    const [, { length } = ''] = /\bsetup-(x+)/.exec(this.options.meta?.__raw ?? '') ?? [];
    if (length === 0) return;
    // A line feed follows each line.
    const children = node.children.splice(0, 2 * length);
    node.children.unshift({ type: 'element', tagName: 'span', properties: { class: 'setup' }, children });
  },
};

export default defineConfig({
  title: 'rxjs-chat-completions',
  description: 'One Chat Completions turn as a cold RxJS Observable',
  base: process.env.SITE_BASE ?? '/',
  lang: 'en',
  head: [
    ['link', { rel: 'icon', href: `${process.env.SITE_BASE ?? '/'}icon.svg`, type: 'image/svg+xml' }],
    // VitePress throws where what stands behind the # cannot be decoded.
    ['script', {}, "try{decodeURIComponent(location.hash)}catch{history.replaceState(null,'','#malformed')}"],
  ],
  srcDir: '.pages',
  outDir: '.vitepress/dist',
  lastUpdated: false,
  // typedoc and Angular write these; test.mjs checks every link of the built site, theirs as well.
  ignoreDeadLinks: [/^\/?(?:reference|demo)\//, /^\/llms/],
  // What is edited is the project's file.
  transformPageData(page) {
    page.filePath = page.frontmatter.source ?? `site/pages/${page.relativePath}`;
  },
  markdown: {
    anchor: { slugify: slugOf },
    headers: { slugify: slugOf },
    codeTransformers: [setupLines],
    config(md) {
      // Angular's braces in code are Vue's, unless Vue is told to leave them alone.
      const { code_inline: inlineCode } = md.renderer.rules;
      md.renderer.rules.code_inline = (...all) => inlineCode(...all).replace('<code', '<code v-pre');
      const { fence } = md.renderer.rules;
      md.renderer.rules.fence = (tokens, index, ...others) => {
        const { info } = tokens[index];
        const html = fence(tokens, index, ...others);
        const runs = /\bruns\b/.test(info) ? html.replace('<div class="', '<div data-runs class="') : html;
        if (!/\bsetup-x/.test(info)) return runs;
        const toggle = '<button type="button" class="show-setup" aria-expanded="false">setup</button>';
        return runs.replace(/<\/div>\s*$/, `${toggle}</div>`);
      };
    },
  },
  vite: {
    publicDir: 'public',
    resolve: {
      alias: [
        { find: /^@playground$/, replacement: join(root, 'site', 'playground', 'WirePlayground.vue') },
        { find: /^rxjs-chat-completions\/(.*)$/, replacement: join(library, '$1', 'index.js') },
        { find: /^rxjs-chat-completions$/, replacement: join(library, 'index.js') },
      ],
      dedupe: ['rxjs'],
    },
    server: { fs: { allow: [root] } },
    build: { chunkSizeWarningLimit: 2_000 },
  },
  themeConfig: {
    outline: { level: [2, 3] },
    search: {
      provider: 'local',
      options: {
        miniSearch: {
          // Whoever searches wants to use the library: its history, reasons and measurements come last.
          searchOptions: {
            boostDocument: (id) =>
              /\/(?:changelog|decisions|reliability|benchmark|ARCHITECTURE|hostile-|leaks-|mutation-)/.test(
                id,
              )
                ? 0.3
                : 1,
          },
        },
      },
    },
    socialLinks: [{ icon: 'github', link: sources.replace('/blob/main', '') }],
    editLink: { pattern: `${sources.replace('/blob/', '/edit/')}/:path` },
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Playground', link: '/playground' },
      { text: 'Guides', link: '/guides/', activeMatch: '^/guides/' },
      { text: 'Operators', link: '/operators/which', activeMatch: '^/operators/' },
      ...item('/symptoms', 'Symptoms'),
      { text: 'Reference', link: '/reference/index.html', target: '_self' },
      {
        text: 'More',
        items: [
          ...item('/providers'),
          ...item('/benchmark'),
          ...item('/reliability'),
          ...item('/decisions/', 'Decisions'),
          ...item('/changelog'),
        ],
      },
    ],
    sidebar: { '/decisions/': [{ text: 'Decisions', items: decisions }, ...sidebar], '/': sidebar },
    footer: {
      message: `MIT licence · <a href="${home}">source</a> · <a href="${process.env.SITE_BASE ?? '/'}llms.txt">llms.txt</a>`,
    },
  },
});
