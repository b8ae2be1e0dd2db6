import { Lexer, type Token, type TokensList } from 'marked';

/** Nobody reads lists in lists in lists beyond it, and a parser that calls itself runs out of stack. */
const deepest = 16;

/** Characters of one paragraph in which marks are looked for: what is looked for grows with the square of it. */
const longest = 10_000;

/**
 * Reads Markdown with bounds: what is nested deeper than 16 levels is shown as text, and so is a paragraph, a cell or
 * an item of more than 10,000 characters. A model, or whoever speaks through it, can write `> - > - …` for ever.
 */
export class BoundedLexer extends Lexer {
  #depth = 0;

  override blockTokens(src: string, tokens?: Token[], lastParagraphClipped?: boolean): Token[];
  override blockTokens(src: string, tokens?: TokensList, lastParagraphClipped?: boolean): TokensList;
  override blockTokens(src: string, tokens: Token[] = [], lastParagraphClipped?: boolean): Token[] {
    if (this.#depth >= deepest) {
      if (src.trim() !== '') tokens.push({ type: 'paragraph', raw: src, text: src, tokens: [asText(src)] });
      return tokens;
    }
    return this.#deeper(() => super.blockTokens(src, tokens, lastParagraphClipped));
  }

  override inlineTokens(src: string, tokens: Token[] = []): Token[] {
    if (this.#depth >= deepest || src.length > longest) {
      tokens.push(asText(src));
      return tokens;
    }
    return this.#deeper(() => super.inlineTokens(src, tokens));
  }

  #deeper<T>(read: () => T): T {
    this.#depth += 1;
    try {
      return read();
    } finally {
      this.#depth -= 1;
    }
  }
}

const asText = (src: string): Token => ({ type: 'text', raw: src, text: src, escaped: false });
