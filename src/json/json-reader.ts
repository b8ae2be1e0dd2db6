import Tokenizer from '@streamparser/json/tokenizer.js';
import type { ParsedTokenInfo } from '@streamparser/json/utils/types/parsedTokenInfo.js';
import Token from '@streamparser/json/utils/types/tokenType.js';
import { openEnd, startOfValue } from './json-in-text.js';
import { maxDepth, maxValues } from './json-limits.js';
import type { OutputErrorCode } from './output-error.js';

export type JsonScalar = string | number | boolean | null;

/** Called with the parts of a JSON text as they arrive. */
export interface JsonListener {
  /** An object or an array begins. */
  open(isArray: boolean): void;
  /** The innermost object or array ends. */
  close(): void;
  /** The key of the next value. */
  key(key: string): void;
  /** A string, number, boolean or `null`. Also called for a string that is still incomplete: then it is partial. */
  value(value: JsonScalar, isPartial: boolean): void;
}

/** What may come next. */
type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end' | 'nothing';

/** Reads numbers only when complete: re-reading a long one with each piece would take quadratic time. */
class AnswerTokenizer extends Tokenizer {
  number = '';

  protected override parseNumber(number: string): number {
    this.number = number;
    return 0;
  }
}

/** A high surrogate without its low one, or a low one without its high one. */
const lone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** An incomplete escape. */
const openEscape = /\\(?:u[\da-f]{0,3})?$/i;

/** Reads the first JSON object or array in a text that arrives in pieces, and skips the text around it. */
export class JsonReader {
  #expected: Expected = 'value';
  /** For each level, whether it is an array. */
  readonly #levels: boolean[] = [];
  readonly #listener: JsonListener;
  readonly #tokenizer = new AnswerTokenizer({ emitPartialTokens: true });
  #hasBegun = false;
  #held = '';
  #values = 0;
  #code: OutputErrorCode = 'invalid_json';

  constructor(listener: JsonListener) {
    this.#listener = listener;
    this.#tokenizer.onToken = (token) => this.#read(token);
  }

  /** Whether the value has ended. */
  get isOver(): boolean {
    return this.#expected === 'nothing';
  }

  /**
   * Reads the new part of the text, up to the end of the value.
   *
   * @returns what is wrong with the text; `undefined` if nothing
   */
  write(piece: string): OutputErrorCode | undefined {
    const text = this.#held + piece;
    this.#held = '';
    if (this.isOver) return undefined;
    const start = this.#hasBegun ? 0 : startOfValue(text);
    if (start === -1) {
      this.#held = openEnd(text);
      return undefined;
    }
    this.#hasBegun = true;
    // The two halves of a character may arrive separately.
    const end = /[\ud800-\udbff]$/.test(text) ? text.length - 1 : text.length;
    this.#held = text.slice(end);
    const json = text.slice(start, end).replace(lone, escaped);
    // The string before an incomplete escape is emitted at the end of a write.
    const escape = openEscape.exec(json)?.index ?? json.length;
    try {
      this.#tokenizer.write(json.slice(0, escape));
      if (escape < json.length) this.#tokenizer.write(json.slice(escape));
    } catch {
      // After the value, the tokenizer rejects anything but white space, with a message that quotes the answer.
      if (!this.isOver) return this.#code;
    }
    return undefined;
  }

  #read({ token, value, partial = false }: ParsedTokenInfo): void {
    if (partial) {
      if (token === Token.STRING && this.#isValueExpected()) this.#listener.value(value, true);
      return;
    }
    switch (token) {
      case Token.LEFT_BRACE:
      case Token.LEFT_BRACKET:
        this.#open(token === Token.LEFT_BRACKET);
        break;
      case Token.RIGHT_BRACE:
        this.#close(false, 'key or end');
        break;
      case Token.RIGHT_BRACKET:
        this.#close(true, 'value or end');
        break;
      case Token.COLON:
        this.#move('colon', 'value');
        break;
      case Token.COMMA:
        this.#move('comma or end', this.#levels.at(-1) === true ? 'value' : 'key');
        break;
      default:
        this.#scalar(token, value);
    }
  }

  #scalar(token: Token, value: JsonScalar): void {
    this.#count();
    if (token === Token.STRING && (this.#expected === 'key' || this.#expected === 'key or end')) {
      this.#expected = 'colon';
      this.#listener.key(value as string);
      return;
    }
    if (!this.#isValueExpected()) this.#fail();
    this.#expected = 'comma or end';
    this.#listener.value(token === Token.NUMBER ? Number(this.#tokenizer.number) : value, false);
  }

  #open(isArray: boolean): void {
    this.#count();
    if (!this.#isValueExpected()) this.#fail();
    if (this.#levels.push(isArray) > maxDepth) this.#fail('too_large');
    this.#expected = isArray ? 'value or end' : 'key or end';
    this.#listener.open(isArray);
  }

  #close(isArray: boolean, empty: Expected): void {
    const mayEnd = this.#expected === empty || this.#expected === 'comma or end';
    if (!mayEnd || this.#levels.pop() !== isArray) this.#fail();
    this.#expected = this.#levels.length === 0 ? 'nothing' : 'comma or end';
    this.#listener.close();
    if (this.isOver) this.#tokenizer.end();
  }

  #count(): void {
    this.#values += 1;
    if (this.#values > maxValues) this.#fail('too_large');
  }

  #move(from: Expected, to: Expected): void {
    if (this.#expected !== from) this.#fail();
    this.#expected = to;
  }

  #isValueExpected(): boolean {
    return this.#expected === 'value' || this.#expected === 'value or end';
  }

  #fail(code: OutputErrorCode = 'invalid_json'): never {
    this.#code = code;
    throw new SyntaxError(code);
  }
}

const escaped = (surrogate: string): string => `\\u${surrogate.charCodeAt(0).toString(16)}`;
