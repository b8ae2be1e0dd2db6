import { afterRenderEffect, Directive, ElementRef, inject, input } from '@angular/core';
import DOMPurify from 'dompurify';
import { Marked, type Token } from 'marked';
import { Announcer } from './announcer';
import { BoundedLexer } from './bounded-lexer';
import { copyText } from './copy-text';
import { highlight } from './highlight';
import { math } from './math';

/** A top-level block of a text: a paragraph, a list, a block of code. */
interface Block {
  readonly raw: string;
  readonly nodes: readonly ChildNode[];
}

/**
 * Shows Markdown that a model wrote, which nobody should trust. HTML in it is shown as text, except for a
 * few inline tags without attributes. DOMPurify has the last word, with a short list of elements and
 * attributes: no images (their addresses can carry a conversation away), no style, class or id of the model's.
 *
 * Where the text grows, only blocks that changed are made anew, which is the last one as a rule: what a
 * reader has selected stays selected, and a frame costs little however long the answer is.
 */
@Directive({ selector: '[appMarkdown]', host: { class: 'markdown', '(click)': 'copyCode($event)' } })
export class Markdown {
  readonly appMarkdown = input.required<string>();

  readonly #host = inject<ElementRef<HTMLElement>>(ElementRef).nativeElement;
  readonly #announcer = inject(Announcer);
  #blocks: readonly Block[] = [];
  #links = 0;

  constructor() {
    afterRenderEffect({ write: () => this.#show(this.appMarkdown()) });
  }

  #show(text: string): void {
    const tokens = new BoundedLexer(marked.defaults).lex(text);
    // A definition at the end of a text (`[1]: https://...`) makes links of what stood before it.
    const links = Object.keys(tokens.links).length;
    let same = 0;
    if (links === this.#links)
      while (same < tokens.length && this.#blocks[same]?.raw === tokens[same]?.raw) same += 1;
    for (const { nodes } of this.#blocks.slice(same)) for (const node of nodes) node.remove();
    const added = tokens.slice(same).map((token) => blockOf(token));
    this.#host.append(...added.flatMap(({ nodes }) => nodes));
    this.#blocks = [...this.#blocks.slice(0, same), ...added];
    this.#links = links;
  }

  protected copyCode({ target }: Event): void {
    if (!(target instanceof HTMLButtonElement)) return;
    const code = target.closest('figure')?.querySelector('code');
    void copyText(code?.textContent ?? '').then((isCopied) => {
      // Where it cannot be copied it is selected, for the reader to copy.
      if (!isCopied && code) getSelection()?.selectAllChildren(code);
      target.textContent = isCopied ? 'Copied' : 'Not copied';
      this.#announcer.announce(isCopied ? 'Code copied.' : 'The code could not be copied. It is selected.');
      setTimeout(() => (target.textContent = 'Copy'), 2_000);
    });
  }
}

/** HTML that a model may write, mostly what Markdown has no syntax for: `H<sub>2</sub>O`. */
const inlineElements = ['b', 'br', 'code', 'del', 'em', 'i', 'kbd', 's', 'strong', 'sub', 'sup', 'u'];
const bareTag = new RegExp(`^</?(?:${inlineElements.join('|')})\\s*/?>$`, 'i');

const marked = new Marked(math, {
  gfm: true,
  // A sanitizer must parse HTML before it can drop an `onclick`, and Chromium reports each one it parses as a
  // violation of the page's Content-Security-Policy, even in a document where nothing runs. So no tag with
  // attributes that a model wrote reaches a parser.
  tokenizer: {
    html: () => undefined,
    tag(source) {
      const raw = this.rules.inline.tag.exec(source)?.[0];
      if (raw === undefined) return undefined;
      const text = bareTag.test(raw) ? raw : raw.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
      return { type: 'html', raw, text, block: false, inLink: false, inRawBlock: false };
    },
  },
  renderer: {
    // The page has its own first and second level.
    heading({ tokens, depth }) {
      const level = Math.min(depth + 2, 6);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
    },
    checkbox: ({ checked }) => (checked ? done : open),
    listitem({ tokens, task }) {
      return `<li${task ? ' class="task"' : ''}>${this.parser.parse(tokens)}</li>`;
    },
    image({ href, text }) {
      return this.parser.parseInline([
        {
          type: 'link',
          raw: '',
          href,
          title: null,
          text,
          tokens: [{ type: 'text', raw: '', text: text || href }],
        },
      ]);
    },
  },
});

/** The boxes of a list of tasks, as text until they are drawn. */
const done = '☑ ';
const open = '☐ ';

let purifier: typeof DOMPurify | undefined;

/** Made when it is needed: there is no window where a server imports this. */
function purify(): typeof DOMPurify {
  if (purifier === undefined) {
    purifier = DOMPurify(window);
    purifier.addHook('uponSanitizeAttribute', (_element, attribute) => {
      if (attribute.attrName !== 'class') return;
      attribute.keepAttr = /^(?:task|language-[\w+#.-]{1,30})$/.test(attribute.attrValue);
    });
  }
  return purifier;
}

// prettier-ignore
const elements = [
  ...inlineElements, 'a', 'blockquote', 'h3', 'h4', 'h5', 'h6', 'hr', 'li', 'ol', 'p', 'pre', 'table', 'tbody',
  'td', 'th', 'thead', 'tr', 'ul',
];

function blockOf(token: Token): Block {
  const fragment = purify().sanitize(marked.parser([token]), {
    RETURN_DOM_FRAGMENT: true,
    ALLOWED_TAGS: elements,
    ALLOWED_ATTR: ['align', 'class', 'href', 'start'],
    ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
    // Any other attribute is held against that expression too.
    ADD_URI_SAFE_ATTR: ['align', 'start'],
    ALLOW_ARIA_ATTR: false,
    ALLOW_DATA_ATTR: false,
  });
  for (const link of fragment.querySelectorAll('a')) {
    if (link.hasAttribute('href')) {
      link.target = '_blank';
      link.rel = 'noopener noreferrer nofollow';
    } else link.replaceWith(...link.childNodes);
  }
  for (const pre of fragment.querySelectorAll('pre')) frameCode(pre);
  for (const table of fragment.querySelectorAll('table')) frameTable(table);
  for (const item of fragment.querySelectorAll('li.task')) drawBox(item);
  // Code reads from the left. Without a direction of its own it would decide for the sentence around it.
  for (const code of fragment.querySelectorAll('code')) code.dir = 'ltr';
  for (const block of fragment.children) if (block instanceof HTMLElement) block.dir ||= 'auto';
  return { raw: token.raw, nodes: [...fragment.childNodes] };
}

function frameCode(pre: HTMLPreElement): void {
  const code = pre.querySelector('code');
  const language = /language-(\S+)/.exec(code?.className ?? '')?.[1] ?? 'code';
  const name = document.createElement('span');
  name.textContent = language;
  const copy = document.createElement('button');
  copy.type = 'button';
  copy.textContent = 'Copy';
  const caption = document.createElement('figcaption');
  caption.append(name, copy);
  const figure = document.createElement('figure');
  figure.dir = 'ltr';
  pre.replaceWith(figure);
  // What scrolls must be reached by keyboard too.
  pre.tabIndex = 0;
  figure.append(caption, pre);
  if (code !== null) highlight(code, language);
}

function frameTable(table: HTMLTableElement): void {
  const frame = document.createElement('div');
  frame.className = 'table';
  frame.tabIndex = 0;
  frame.setAttribute('role', 'group');
  frame.setAttribute('aria-label', 'Table');
  // A column of sentences must not become as narrow as its longest word, and "12 May" is one line.
  for (const cell of table.querySelectorAll('th, td')) {
    const { length } = cell.textContent ?? '';
    if (length > 40) cell.className = 'prose';
    else if (length <= 16) cell.className = 'brief';
  }
  table.replaceWith(frame);
  frame.append(table);
}

function drawBox(item: Element): void {
  const text = document.createTreeWalker(item, NodeFilter.SHOW_TEXT).nextNode();
  const mark = [done, open].find((one) => text?.nodeValue?.startsWith(one));
  if (!(text instanceof Text) || mark === undefined) return;
  const box = document.createElement('span');
  box.className = mark === done ? 'box done' : 'box';
  box.setAttribute('role', 'img');
  box.setAttribute('aria-label', mark === done ? 'Done:' : 'To do:');
  text.before(box);
  text.deleteData(0, mark.length);
}
