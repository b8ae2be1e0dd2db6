import fc from 'fast-check';
import { from } from 'rxjs';
import { ChatCompletionsError, type ResponseEvent, streamChatCompletions } from '../../src/index.js';
import { scriptedTransport } from '../../src/testing/index.js';
import { cutAt, pieces } from '../conformance/cuts.js';
import { record } from '../conformance/record-events.js';
import { anyText, block, cutOffsets, joinLines, lineEnd, linesOf } from './streams.js';

const utf8 = (text: string) => new TextEncoder().encode(text);
const provider = { name: 'p', baseUrl: 'http://provider.invalid/v1', maxRetries: 0 };

interface Answer {
  readonly reads: readonly Uint8Array[];
  readonly status?: number;
  readonly contentType?: string | undefined;
}

function play({ reads, status = 200, contentType = 'text/event-stream' }: Answer) {
  const transport = scriptedTransport({
    status,
    headers: { 'content-type': contentType },
    body: from(reads),
  });
  return record(streamChatCompletions('Hi', { model: 'm', provider, transport, maxEventSize: 4096 }));
}

const textItem = (text: string): ResponseEvent => ({
  type: 'output_item_done',
  item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] },
});

describe('streamChatCompletions()', () => {
  it('gives each delta as it was written, then completed, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(block, { maxLength: 8 }),
        lineEnd,
        fc.boolean(),
        fc.boolean(),
        cutOffsets,
        (blocks, end, hasMark, hasDone, offsets) => {
          const lines = [
            ...linesOf(blocks),
            ...(hasDone ? ['data: [DONE]', '', 'data: {"error":"late"}', ''] : []),
          ];
          const bytes = utf8((hasMark ? '\ufeff' : '') + joinLines(lines, [end]));
          const isEmpty = blocks.length === 0;
          const expected = {
            events: [
              ...blocks.filter(({ text }) => text !== '').map(({ text }) => textItem(text)),
              {
                type: 'completed',
                responseId: isEmpty ? '' : 'chatcmpl-1',
                ...(isEmpty ? {} : { model: 'm' }),
                finishReason: null,
                usage: null,
                endedBy: hasDone ? 'done' : 'eof',
              },
            ],
            error: undefined,
            ended: 1,
          };
          for (const reads of [[bytes], cutAt(bytes, offsets), pieces(bytes, 1)])
            expect(play({ reads })).toEqual(expected);
        },
      ),
    );
  });

  describe('ends once, with completed last or with a ChatCompletionsError, for', () => {
    function expectOneEnd(answer: Answer): void {
      const { events, error, ended } = play(answer);
      expect(ended).toBe(1);
      const ends = events.filter(({ type }) => type === 'completed').length;
      if (error === undefined) {
        expect(ends).toBe(1);
        expect(events.at(-1)?.type).toBe('completed');
      } else {
        expect(error).toBeInstanceOf(ChatCompletionsError);
        expect(ends).toBe(0);
      }
    }

    const contentType = fc.constantFrom('text/event-stream', 'application/json', 'text/html', 'x', undefined);
    const status = fc.constantFrom(200, 200, 200, 201, 299, 400, 401, 404, 429, 500, 503);
    const anyJson = fc.oneof(
      fc.json(),
      fc.json({ noUnicodeString: false }),
      fc.anything({ withNullPrototype: false, maxDepth: 4 }).map((value) => JSON.stringify(value) ?? 'null'),
    );

    it('random bytes', () => {
      fc.assert(
        fc.property(
          fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 }),
          status,
          contentType,
          (reads, code, type) => expectOneEnd({ reads, status: code, contentType: type }),
        ),
        { numRuns: 300 },
      );
    });

    it('random JSON as the body', () => {
      fc.assert(
        fc.property(anyJson, status, contentType, cutOffsets, (json, code, type, offsets) =>
          expectOneEnd({ reads: cutAt(utf8(json), offsets), status: code, contentType: type }),
        ),
        { numRuns: 300 },
      );
    });

    /** A chunk of the right shape, in which each value may be anything. */
    const wild = (likely: fc.Arbitrary<unknown>) =>
      fc.oneof({ weight: 4, arbitrary: likely }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) });
    const wildRecord = (fields: Record<string, fc.Arbitrary<unknown>>) =>
      wild(fc.record(fields, { requiredKeys: [] }));
    const count = wild(fc.integer());
    const chunk = wildRecord({
      id: wild(fc.string()),
      model: wild(fc.string()),
      object: wild(fc.constantFrom('chat.completion.chunk', 'error')),
      detail: fc.jsonValue({ maxDepth: 1 }),
      error: wild(fc.constantFrom(undefined, null, false, 'x', { message: 'x', code: 'x' })),
      choices: wild(
        fc.array(
          wildRecord({
            index: wild(fc.nat()),
            delta: wildRecord({ role: wild(fc.constant('assistant')), content: wild(anyText) }),
            message: wildRecord({ content: wild(anyText) }),
            finish_reason: wild(fc.constantFrom('stop', 'length', '', null)),
            ['__proto__']: fc.jsonValue(),
          }),
          { maxLength: 3 },
        ),
      ),
      usage: wildRecord({
        prompt_tokens: count,
        completion_tokens: count,
        total_tokens: count,
        prompt_tokens_details: wildRecord({ cached_tokens: count }),
        completion_tokens_details: wildRecord({ reasoning_tokens: count }),
      }),
    });

    it('chunks in which any value is anything', () => {
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.constantFrom(undefined, undefined, 'message', 'error'), chunk), {
            maxLength: 5,
          }),
          lineEnd,
          cutOffsets,
          (events, end, offsets) => {
            const lines = events.flatMap(([type, value]) => [
              ...(type === undefined ? [] : [`event: ${type}`]),
              `data: ${JSON.stringify(value) ?? ''}`,
              '',
            ]);
            expectOneEnd({ reads: cutAt(utf8(joinLines(lines, [end])), offsets) });
          },
        ),
        { numRuns: 300 },
      );
    });

    it('completions in JSON in which any value is anything', () => {
      fc.assert(
        fc.property(chunk, contentType, (value, type) =>
          expectOneEnd({ reads: [utf8(JSON.stringify(value) ?? '')], contentType: type }),
        ),
        { numRuns: 300 },
      );
    });

    it.each([200, 400, 429, 500])('nesting beyond reason, with status %p', (code) => {
      const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
      for (const body of [
        deep,
        `{"error":${deep}}`,
        `{"error":{"message":${deep}}}`,
        `{"choices":[{"message":{"content":${deep}}}]}`,
        `data: ${deep}\n\n`,
        `data: {"error":${deep}}\n\n`,
      ]) {
        const transport = scriptedTransport({ status: code, body });
        const { events, error, ended } = record(
          streamChatCompletions('Hi', { model: 'm', provider, transport }),
        );
        expect(error instanceof ChatCompletionsError ? undefined : error).toBeUndefined();
        expect(events.filter(({ type }) => type === 'completed')).toHaveLength(error === undefined ? 1 : 0);
        expect(ended).toBe(1);
      }
    });
  });
});
