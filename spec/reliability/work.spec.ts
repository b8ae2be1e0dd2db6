import { from, map, of } from 'rxjs';
import {
  type ChatOptions,
  fromServerSentEvents,
  StreamError,
  streamChatCompletions,
} from '../../src/index.js';
import { replayTransport } from '../../src/testing/replay-transport.js';
import { toHeaders } from '../../src/testing/answer.js';
import { record } from '../conformance/record-events.js';
import { provider } from '../support/events.js';
import { parsedBy } from '../support/parsed.js';

const MiB = 1024 * 1024;
const inField = (value: string) => `{"choices":[{"index":0,"delta":{"content":"ok"}}],"x":${value}}`;
const inDelta = (field: string) => `{"choices":[{"index":0,"delta":{${field}}}]}`;
const objects = `[${'{},'.repeat(2 * MiB)}0]`;
const call = (text: string) =>
  inDelta(`"tool_calls":[{"index":0,"function":{"name":"f","arguments":${text}}}]`);

/** What an answer costs: how it ends, and what was given to `JSON.parse` for it. */
function workOf(
  body: string | readonly string[],
  contentType = 'text/event-stream',
  { status = 200, ...options }: Partial<ChatOptions> & { readonly status?: number } = {},
) {
  let error: unknown;
  const parsed = parsedBy(() => {
    const transport = () =>
      of({
        status,
        headers: toHeaders({ 'content-type': contentType }),
        body: from([body].flat()).pipe(map((text) => new TextEncoder().encode(text))),
      });
    ({ error } = record(streamChatCompletions('Hi', { model: 'm', provider, transport, ...options })));
  });
  return { error, ...parsed };
}

const tooMany = new StreamError({
  message: 'An event or a JSON response contains more than 1000000 values (maxEventValues).',
});

describe('what holds too many values is not parsed', () => {
  it.each([
    ['in a field that nobody reads', inField(objects)],
    ['open brackets', '['.repeat(2 * MiB)],
    ['keys', inField(`{${'"a":1,'.repeat(MiB)}"a":1}`)],
    ['in entries of calls', inDelta(`"tool_calls":${objects}`)],
    ['in reasoning details', inDelta(`"reasoning_details":${objects}`)],
    ['in the usage', `{"choices":[],"usage":{"x":${objects}}}`],
  ])('%s', (_, data) => {
    expect(workOf(`data: ${data}\n\ndata: [DONE]\n\n`)).toEqual({ error: tooMany, calls: 0, characters: 0 });
    expect(workOf(`data: ${data}`)).toEqual({ error: tooMany, calls: 0, characters: 0 });
    expect(workOf(data, 'application/json')).toEqual({ error: tooMany, calls: 0, characters: 0 });
    const parsed = parsedBy(() => {
      expect(record(of({ data }).pipe(fromServerSentEvents())).error).toEqual(tooMany);
    });
    expect(parsed.calls).toBe(0);
  });

  it("in a call's arguments, which are an error of the turn where it ends", () => {
    const data = call(JSON.stringify(objects));
    const { error, characters } = workOf(`data: ${data}\n\ndata: [DONE]\n\n`);
    expect(error).toEqual(tooMany);
    expect(characters).toBeLessThan(1.1 * data.length);
  });
});

it.each([
  ['keys', `{${'"a":1,'.repeat(400_000)}"a":1}`],
  ['keys of many objects', `[${'{"a":1},'.repeat(300_000)}0]`],
])('a key is a value more: %s', (_, value) => {
  expect(workOf(`data: ${inField(value)}\n\n`)).toEqual({
    error: undefined,
    calls: 1,
    characters: inField(value).length,
  });
  expect(workOf(`data: ${inField(`[${value},${value}]`)}\n\n`)).toEqual({
    error: tooMany,
    calls: 0,
    characters: 0,
  });
});

describe('the body of an error, of which 64 KiB are read,', () => {
  const read = 64 * 1024;

  it.each([400, 429])('is parsed twice at most, whatever its size: %s', (status) => {
    for (const value of [`[${'{},'.repeat(read)}`, '['.repeat(2 * MiB), `[${'{},'.repeat(20_000)}{}]`]) {
      const body = `{"error":{"message":"No"},"x":${value}}`;
      const { error, calls, characters } = workOf(body, 'application/json', {
        retry: { maxRetries: 0 },
        status,
      });
      expect(error).toMatchObject({
        name: status === 400 ? 'UnexpectedStatusError' : 'RetryLimitError',
        status,
      });
      expect(calls).toBeLessThanOrEqual(2);
      expect(characters).toBeLessThanOrEqual(2 * read);
    }
  });
});

it('a cassette is read within the same bounds', () => {
  const transport = replayTransport({
    version: 1,
    exchanges: [
      {
        request: { method: 'POST', url: 'https://api.example/v1/chat/completions' },
        response: {
          at: 0,
          status: 200,
          headers: { 'content-type': 'text/event-stream' },
          body: [{ at: 0, text: `data: ${inField(objects)}\n\ndata: [DONE]\n\n` }],
        },
        end: { type: 'complete', at: 0 },
      },
    ],
  });
  expect(workOf('', '', { transport })).toEqual({ error: tooMany, calls: 0, characters: 0 });
});

describe('the bytes of an answer that is held until its end', () => {
  /** The bytes that were allocated. */
  function allocatedBy(work: () => void): number {
    const platform = globalThis.Uint8Array;
    let bytes = 0;
    globalThis.Uint8Array = new Proxy(platform, {
      construct(target, given: [number], newTarget) {
        if (typeof given[0] === 'number') bytes += given[0];
        return Reflect.construct(target, given, newTarget) as object;
      },
    });
    try {
      work();
    } finally {
      globalThis.Uint8Array = platform;
    }
    return bytes;
  }

  it.each([1, 16, 1_024])('are copied as often as they double, in reads of %s bytes', (read) => {
    const size = 64 * 1024;
    const text = `{"choices":[{"message":{"content":"${'x'.repeat(size)}"}}]}`;
    const reads = Array.from({ length: Math.ceil(text.length / read) }, (_, at) =>
      text.slice(at * read, (at + 1) * read),
    );
    let error: unknown;
    const bytes = allocatedBy(() => ({ error } = workOf(reads, 'application/json')));
    expect(error).toBeUndefined();
    expect(bytes).toBeGreaterThanOrEqual(text.length);
    expect(bytes).toBeLessThan(5 * text.length);
  });
});

describe('what passes is parsed once', () => {
  it.each([
    ['commas in a string', inDelta(`"content":"${'{},'.repeat(MiB)}"`)],
    ['escapes', inDelta(`"content":"${'\\n'.repeat(MiB)}"`)],
    ['an image of 28 MiB', inField(`"${'QUJD'.repeat(7 * MiB)}"`)],
    ['one huge number', inField('9'.repeat(MiB))],
    ['nesting', inField('['.repeat(900_000) + ']'.repeat(900_000))],
  ])('%s', (_, data) => {
    for (const [body, type] of [
      [`data: ${data}\n\ndata: [DONE]\n\n`, 'text/event-stream'],
      [data, 'application/json'],
    ] as const)
      expect(workOf(body, type)).toEqual({ error: undefined, calls: 1, characters: data.length });
  });

  it("a call's arguments, whatever number of entries may go on with them", () => {
    const begun = JSON.stringify(`{"a":{"b":"${'x'.repeat(100_000)}"}`);
    const entries = '{"index":0,"id":"d","function":{"name":"f"}},'.repeat(10_000);
    const data = inDelta(
      `"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":${begun}}},${entries}{}]`,
    );
    expect(workOf(`data: ${data}\n\ndata: [DONE]\n\n`).characters).toBeLessThan(10 * data.length);
  });
});
