import fc from 'fast-check';

/** Any text: CJK, emoji of several code points, control characters, line breaks. */
export const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('👩‍👧‍👦', '你好', 'é', '\r\n', '\u2028', '\ufeff', '[DONE]', 'data: x\n\n', '{"error":1}'),
);

export type LineEnd = '\n' | '\r\n' | '\r';

export const lineEnd: fc.Arbitrary<LineEnd> = fc.constantFrom('\n', '\r\n', '\r');

const oneLine = fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replace(/[\r\n]/g, ''));

/** A line that says nothing: a comment, a field that nobody knows, a retry time. */
export const noiseLine = fc.oneof(
  oneLine.map((text) => `:${text}`),
  fc.constantFrom(
    ': OPENROUTER PROCESSING',
    ':',
    'retry: 10',
    'retry: soon',
    'Data: x',
    ' data: x',
    'dat',
    'foo',
  ),
  oneLine.map((text) => `x-${text}`),
);

/** Offsets to cut at; taken modulo the length of what is cut. */
export const cutOffsets = fc.array(fc.nat(), { maxLength: 40 });

/** One event: the text of its delta, and the noise around its data. */
export interface Block {
  readonly text: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly alone: readonly string[];
  readonly id: string | undefined;
  readonly type: string | undefined;
  readonly isSpaced: boolean;
  readonly isPretty: boolean;
}

const noise = fc.array(noiseLine, { maxLength: 3 });

export const block: fc.Arbitrary<Block> = fc.record({
  text: anyText,
  before: noise,
  after: noise,
  alone: noise,
  id: fc.option(oneLine, { nil: undefined }),
  type: fc.constantFrom(undefined, 'message', 'delta', ''),
  isSpaced: fc.boolean(),
  isPretty: fc.boolean(),
});

export const chunkOf = (text: string) => ({
  id: 'chatcmpl-1',
  model: 'm',
  choices: [{ index: 0, delta: { content: text }, finish_reason: null }],
});

const dataLines = (text: string, isSpaced: boolean) =>
  text.split('\n').map((line) => `data:${isSpaced ? ' ' : ''}${line}`);

/** The lines of an event stream, blank ones included, that gives one event for each block. */
export function linesOf(blocks: readonly Block[]): string[] {
  return blocks.flatMap(({ text, before, after, alone, id, type, isSpaced, isPretty }) => [
    ...alone,
    ...(alone.length > 0 ? [''] : []),
    ...before,
    ...(type === undefined ? [] : [`event: ${type}`]),
    ...(id === undefined ? [] : [`id:${id}`]),
    ...dataLines(JSON.stringify(chunkOf(text), null, isPretty ? 1 : 0), isSpaced),
    ...after,
    '',
  ]);
}

/**
 * Joins lines, each with its own end. A blank line that a line feed ends cannot follow one that a
 * carriage return ends: the two would be one line end.
 */
export function joinLines(lines: readonly string[], ends: readonly LineEnd[]): string {
  let result = '';
  lines.forEach((line, index) => {
    const end = ends[index % ends.length] ?? '\n';
    result += line + (line === '' && end === '\n' && result.endsWith('\r') ? '\r\n' : end);
  });
  return result;
}
