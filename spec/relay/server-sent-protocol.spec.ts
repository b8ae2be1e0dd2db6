import fc from 'fast-check';
import { concat, from, map, type Observable, of, throwError } from 'rxjs';
import {
  ChatCompletionsError,
  RetryLimitError,
  TransportError,
  UnexpectedStatusError,
} from '../../src/turn/errors.js';
import type {
  ContentPart,
  FunctionCallItem,
  ResponseEvent,
  ResponseItem,
  ToolOutput,
} from '../../src/turn/events.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { encodeEventStream } from '../../src/relay/encode-event-stream.js';
import { fromServerSentEvents } from '../../src/relay/from-server-sent-events.js';
import { RemoteTurnError } from '../../src/relay/remote-turn-error.js';
import { toMessageEvents } from '../../src/relay/to-message-events.js';
import { readReport } from '../../src/relay/server-sent-protocol.js';
import { toServerSentEvents } from '../../src/relay/to-server-sent-events.js';
import { decodeEventStream } from '../../src/response/decode-event-stream.js';
import { cutAt, pieces } from '../conformance/cuts.js';
import { record } from '../conformance/record-events.js';
import { anyText, cutOffsets } from '../properties/streams.js';
import { completed, text } from '../support/events.js';
import { received } from '../support/marbles.js';
import { attempts } from '../support/attempts.js';

const utf8 = (text: string) => new TextEncoder().encode(text);
const count = fc.nat();
const optional = <T>(fields: { readonly [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T, never>(fields, { requiredKeys: [], noNullPrototype: true });
const both = <A extends object, B extends object>(
  required: fc.Arbitrary<A>,
  perhaps: fc.Arbitrary<B>,
): fc.Arbitrary<A & B> => fc.tuple(required, perhaps).map(([a, b]) => ({ ...a, ...b }));
/** -0 is none of JSON. */
const anyJson = fc.jsonValue({ maxDepth: 2 }).map((value): unknown => JSON.parse(JSON.stringify(value)));

const part: fc.Arbitrary<ContentPart> = fc.oneof(
  fc.record({ type: fc.constant('output_text' as const), text: anyText }),
  fc.record({ type: fc.constant('input_text' as const), text: anyText }),
  fc.record({ type: fc.constant('refusal' as const), refusal: anyText }),
  both(
    fc.record({ type: fc.constant('input_image' as const), image_url: anyText }),
    optional<{ detail: 'auto' | 'low' | 'high' }>({ detail: fc.constantFrom('auto', 'low', 'high') }),
  ),
  fc.record({
    type: fc.constant('input_audio' as const),
    input_audio: fc.record({ data: anyText, format: anyText }),
  }),
  both(
    fc.record({ type: fc.constant('input_file' as const) }),
    optional({ file_id: anyText, file_data: anyText, file_url: anyText, filename: anyText }),
  ),
);

const output: fc.Arbitrary<ToolOutput> = fc.oneof(
  anyText,
  fc.array(
    fc.oneof(
      fc.record({ type: fc.constant('input_text' as const), text: anyText }),
      fc.record({ type: fc.constant('input_image' as const), image_url: anyText }),
      fc.record({ type: fc.constant('input_file' as const), file_id: anyText }),
    ),
    { maxLength: 2 },
  ),
);

const item: fc.Arbitrary<ResponseItem> = fc.oneof(
  fc.record({
    type: fc.constant('message' as const),
    role: fc.constantFrom('system', 'developer', 'user', 'assistant'),
    content: fc.array(part, { maxLength: 3 }),
  }),
  both(
    fc.record({
      type: fc.constant('reasoning' as const),
      content: fc.array(fc.record({ type: fc.constant('reasoning_text' as const), text: anyText }), {
        maxLength: 2,
      }),
    }),
    optional({ reasoning_details: fc.array(anyJson, { maxLength: 2 }) }),
  ),
  fc.record({
    type: fc.constant('function_call' as const),
    call_id: anyText,
    name: anyText,
    arguments: anyText,
  }),
  fc.record({ type: fc.constant('function_call_output' as const), call_id: anyText, output }),
  fc.record({
    type: fc.constant('custom_tool_call' as const),
    call_id: anyText,
    name: anyText,
    input: anyText,
  }),
  fc.record({ type: fc.constant('custom_tool_call_output' as const), call_id: anyText, output }),
);

const code = fc.option(fc.stringMatching(/^[\w.:/-]{1,64}$/), { nil: undefined });
const retryAfter = fc.option(count, { nil: undefined });
const status = fc.integer({ min: 100, max: 599 });

const usage = fc.option(
  fc.record({
    inputTokens: count,
    cachedInputTokens: count,
    outputTokens: count,
    reasoningOutputTokens: count,
    totalTokens: count,
  }),
);

const call: fc.Arbitrary<FunctionCallItem> = fc.record({
  type: fc.constant('function_call' as const),
  call_id: anyText,
  name: anyText,
  arguments: anyText,
});

const betweenTurns: fc.Arbitrary<RunEvent> = fc.oneof(
  fc.record({ type: fc.constant('approval_requested' as const), call }),
  both(fc.record({ type: fc.constant('tool_started' as const), call }), optional({ arguments: anyJson })),
  fc.record({ type: fc.constant('tool_progress' as const), callId: anyText, value: anyJson }),
  fc.record({ type: fc.constant('tool_finished' as const), callId: anyText, output, duration: count }),
  fc.record({ type: fc.constant('input_added' as const), items: fc.array(item, { maxLength: 2 }) }),
  fc.record({ type: fc.constant('run_resumed' as const), calls: fc.array(call, { maxLength: 2 }) }),
  fc.record({
    type: fc.constant('run_completed' as const),
    reason: fc.constantFrom('answered', 'stopped', 'pending', 'max_turns'),
    items: fc.array(item, { maxLength: 2 }),
    usage,
    turns: count,
  }),
);

const event: fc.Arbitrary<ResponseEvent> = fc.oneof(
  both(fc.record({ type: fc.constant('output_item_done' as const), item }), optional({ choice: count })),
  both(
    fc.record({
      type: fc.constant('function_call_arguments_delta' as const),
      callId: anyText,
      name: anyText,
      index: count,
      delta: anyText,
    }),
    optional({ choice: count }),
  ),
  both(
    fc.record({
      type: fc.constant('completed' as const),
      responseId: anyText,
      finishReason: fc.option(anyText),
      usage,
    }),
    optional({
      model: anyText,
      choices: fc.array(fc.record({ choice: count, finishReason: fc.option(anyText) }), { maxLength: 2 }),
      stopped: fc.constant(true as const),
    }),
  ),
  fc.record({
    type: fc.constant('retrying' as const),
    attempt: count,
    delay: count,
    error: fc.oneof(
      fc.constant(new TransportError()),
      fc
        .record({ status, code, retryAfter })
        .map((details) => new UnexpectedStatusError({ ...details, retryable: true })),
    ),
  }),
  fc.record({ type: fc.constant('chunk' as const), chunk: fc.dictionary(fc.string(), anyJson) }),
);

const turns = fc.array(fc.oneof({ weight: 2, arbitrary: event }, { weight: 1, arbitrary: betweenTurns }), {
  maxLength: 6,
});

/** What NestJS makes of an `@Sse()` handler's messages: it writes an id into each that has none. */
const written = (source: Observable<{ data: string; type?: string; id?: string }>) =>
  source.pipe(
    map((message, index) => {
      const { data, type, id } = Object.assign(message, { id: message.id ?? String(index + 1) });
      return `${type === undefined ? '' : `event: ${type}\n`}id: ${id}\ndata: ${data}\n\n`;
    }),
  );

const ways = [
  [
    'encodeEventStream()',
    (source: Observable<RunEvent>) => source.pipe(toServerSentEvents(), encodeEventStream()),
    (events: readonly RunEvent[]) => events,
  ],
  [
    'toMessageEvents() by way of NestJS',
    (source: Observable<RunEvent>) => written(source.pipe(toServerSentEvents(), toMessageEvents())),
    (events: readonly RunEvent[]) => events.map((event, index) => ({ id: String(index + 1), ...event })),
  ],
] as const;

/** Events of a shared turn, among others. */
const withIds = (events: readonly RunEvent[], ids: readonly (string | undefined)[]): readonly RunEvent[] =>
  events.map((event, index) => ({ ...event, ...(ids[index] !== undefined && { id: ids[index] }) }));

const eventIds = fc.array(fc.option(fc.stringMatching(/^[\x21-\x7e]{1,32}$/), { nil: undefined }), {
  maxLength: 6,
});

describe.each(ways)('What %s has written', (_, write, come) => {
  const bytesOf = (source: Observable<RunEvent>) => utf8(received(write(source)).join(''));
  const read = (reads: readonly Uint8Array[]) =>
    record(from(reads).pipe(decodeEventStream(), fromServerSentEvents<RunEvent>()));

  it('fromServerSentEvents() reads as it was, however the bytes are cut', () => {
    fc.assert(
      fc.property(turns, eventIds, cutOffsets, (said, ids, offsets) => {
        const events = withIds(said, ids);
        const bytes = bytesOf(from(events));
        const expected = { events: come(events), error: undefined, ended: 1 };
        for (const reads of [[bytes], cutAt(bytes, offsets), pieces(bytes, 1)])
          expect(read(reads)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it('fromServerSentEvents() reads with its error, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        turns,
        status,
        code,
        retryAfter,
        cutOffsets,
        (events, status, code, retryAfter, offsets) => {
          const error = new RetryLimitError({ status, code, retryAfter, body: 'private' }, attempts(5));
          const bytes = bytesOf(
            concat(
              from(events),
              throwError(() => error),
            ),
          );
          expect(new TextDecoder().decode(bytes)).not.toContain('private');
          const result = read(cutAt(bytes, offsets));
          expect(result).toEqual({
            events: come(events),
            error: new RemoteTurnError({ name: 'RetryLimitError', status, code, retryAfter }),
            ended: 1,
          });
          expect(result.error).toMatchObject({ remoteName: 'RetryLimitError', status, code, retryAfter });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('is known to be cut, wherever it is cut', () => {
    const events = [text('Hel'), text('lo'), completed({ finishReason: 'stop' })];
    const bytes = bytesOf(of(...events));
    for (let length = 0; length < bytes.length; length += 1) {
      const { events: seen, error, ended } = read([bytes.subarray(0, length)]);
      expect(seen).toEqual(come(events).slice(0, seen.length));
      expect(error).toMatchObject({ name: 'StreamError' });
      expect(ended).toBe(1);
    }
  });
});

describe('fromServerSentEvents()', () => {
  it('ends once, with a ChatCompletionsError or at its end mark, for messages in which anything is anything', () => {
    const wild = fc.oneof(
      anyJson.map((value) => JSON.stringify(value)),
      fc.tuple(fc.oneof(event, betweenTurns), fc.nat(), anyJson).map(([value, place, other]) => {
        const keys = Object.keys(value);
        return JSON.stringify({ ...value, [keys[place % keys.length] ?? '']: other });
      }),
      fc.string(),
    );
    const name = fc.constantFrom(undefined, undefined, 'message', 'error', 'x');
    fc.assert(
      fc.property(fc.array(fc.record({ data: wild, event: name }), { maxLength: 4 }), (messages) => {
        const { error, ended } = record(from([...messages, { data: '[DONE]' }]).pipe(fromServerSentEvents()));
        expect(ended).toBe(1);
        if (error !== undefined) expect(error).toBeInstanceOf(ChatCompletionsError);
      }),
      { numRuns: 200 },
    );
  });
});

describe('readReport()', () => {
  it('keeps every field that is what it should be', () => {
    const report = {
      name: 'RetryLimitError',
      message: 'Please wait.',
      status: 429,
      code: 'rate/limit:1.0-x_y',
      retryAfter: 0.5,
    };
    expect(readReport({ ...report, stack: 'at' })).toStrictEqual(report);
  });

  it.each<[string, unknown]>([
    ['no report', undefined],
    ['a list', ['Error']],
    ['a name with a blank', { name: 'a b' }],
    ['a name that begins with a digit', { name: '1a' }],
    ['a name of 65 characters', { name: 'a'.repeat(65) }],
    ['a name that is no text', { name: ['Error'] }],
    ['words that are no text', { message: 1 }],
    ['a status below 100', { status: 99 }],
    ['a status above 599', { status: 600 }],
    ['a status with a fraction', { status: 429.5 }],
    ['a status as text', { status: '429' }],
    ['a code as a number', { code: 429 }],
    ['a code with a blank before it', { code: ' busy' }],
    ['a code with a blank after it', { code: 'busy ' }],
    ['a code of 65 characters', { code: 'a'.repeat(65) }],
    ['an empty code', { code: '' }],
    ['a wait below 0', { retryAfter: -1 }],
    ['a wait without end', { retryAfter: Infinity }],
    ['a wait as text', { retryAfter: '1' }],
  ])('leaves out %s', (_, value) => {
    expect(readReport(value)).toStrictEqual({ name: 'Error' });
  });

  it.each<[string, object]>([
    ['the lowest status', { status: 100 }],
    ['the highest status', { status: 599 }],
    ['no wait at all', { retryAfter: 0 }],
    ['the longest code', { code: 'a'.repeat(64) }],
  ])('keeps %s', (_, fields) => {
    expect(readReport({ name: 'A', ...fields })).toStrictEqual({ name: 'A', ...fields });
  });

  it('keeps a name of 64 characters', () => {
    expect(readReport({ name: 'a'.repeat(64) })).toStrictEqual({ name: 'a'.repeat(64) });
  });
});
