import type { MarkedExtension, Tokens } from 'marked';

/** Characters of a formula; an opening mark whose end is farther away is text. */
const inline = /^(?:\\\([^]{1,1000}?\\\)|\\\[[^]{1,1000}?\\\]|\$\$(?!\s)[^$]{1,1000}\$\$)/;
const display = /^ {0,3}(\\\[[^]{1,4000}?\\\]|\$\$[^$]{1,4000}\$\$)[ \t]*(?:\n+|$)/;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const code = (name: string, text: string): string => `<code class="language-${name}">${escaped(text)}</code>`;

/**
 * Formulas as the model wrote them, in TeX. Markdown takes the backslash of `\(` for an escape, and what stands between
 * two `_` for emphasis; here nothing in a formula is touched, and `\(`, `\[` and `\\` keep their backslashes anywhere,
 * so that a formula whose end has not come yet looks no different.
 */
export const math: MarkedExtension = {
  tokenizer: {
    escape(source) {
      const text = /^\\[()[\]\\]/.exec(source)?.[0];
      return text === undefined ? false : { type: 'escape', raw: text, text };
    },
  },
  extensions: [
    {
      name: 'math',
      level: 'inline',
      start: (source) => indexOf(source, /\\[([]|\$\$/),
      tokenizer(source) {
        const text = inline.exec(source)?.[0];
        return text === undefined ? undefined : { type: 'math', raw: text, text };
      },
      renderer: (token: Tokens.Generic) => code('math', String(token['text'])),
    },
    {
      name: 'displayMath',
      level: 'block',
      // Within the paragraph that it would end: to search all of the rest at each one grows with the square.
      start: (source) => indexOf(paragraphOf(source), /^ {0,3}(?:\\\[|\$\$)/m),
      tokenizer(source) {
        const [raw, text] = display.exec(source) ?? [];
        return raw === undefined || text === undefined ? undefined : { type: 'displayMath', raw, text };
      },
      renderer: (token: Tokens.Generic) => `<p>${code('displaymath', String(token['text']))}</p>`,
    },
  ],
};

function indexOf(source: string, pattern: RegExp): number | undefined {
  const at = source.search(pattern);
  return at === -1 ? undefined : at;
}

const paragraphOf = (source: string): string => {
  const end = source.indexOf('\n\n');
  return end === -1 ? source : source.slice(0, end);
};
