import type { EventSourceMessage } from 'eventsource-parser';
import fc from 'fast-check';
import type { ResponseEvent } from '../../../src/turn/events.js';
import { chunkDecoder, type ChunkDecoderOptions } from '../../../src/response/chunks/chunk-decoder.js';
import { patternDecoder } from '../../../src/response/chunks/pattern-decoder.js';

function decode(
  decoder: typeof chunkDecoder,
  messages: readonly (string | EventSourceMessage)[],
  options: ChunkDecoderOptions = {},
) {
  const events: ResponseEvent[] = [];
  const malformed: unknown[] = [];
  const decoding = decoder((event) => events.push(event), {
    random: () => 0,
    onMalformed: (event) => malformed.push(event),
    ...options,
  });
  try {
    for (const message of messages) decoding.push(typeof message === 'string' ? { data: message } : message);
    decoding.end();
  } catch (error) {
    return { events, malformed, error };
  }
  return { events, malformed, error: undefined };
}

const text = (said: string, rest = '"logprobs":null') =>
  `{"id":"a","choices":[{"index":0,"delta":{"content":${said}},${rest}}],"usage":null}`;
const padded = (said: string, padding: string) =>
  `{"choices":[{"index":0,"delta":{"content":${said}}}],"obfuscation":${padding}}`;

const streams: Readonly<Record<string, readonly (string | EventSourceMessage)[]>> = {
  'texts that change alone': [text('"Hi"'), text('" there"'), text('"!"')],
  'an empty text among them': [text('"Hi"'), text('""'), text('null'), text('"!"')],
  'texts with escapes': [text('"Hi"'), text('"\\n"'), text('"\\u00e9\\ud83d\\ude00"'), text('"\\"\\\\"')],
  'texts that are no JSON': ['"\n"', '"\\x"', '"a', 'b', '12"', '"c""'].flatMap((said) => [
    text('"Hi"'),
    text(said),
  ]),
  'a long text': [text('"Hi"'), text(`"${'long '.repeat(100)}"`)],
  'a text that holds the name of its field': [
    text('"\\"content\\":\\"x\\""'),
    text('"a"'),
    text('"\\"content\\":"'),
  ],
  'a field that is written twice': [
    text('"a","content":"b"'),
    text('"c","content":"b"'),
    text('"c","content":"d"'),
  ],
  'padding at the end': [padded('"a"', '"xyz"'), padded('"b"', '"uvwxy"'), padded('"c"', '""')],
  'padding that is no JSON': ['"\t"', '"\\x"', '1', '12"'].flatMap((padding) => [
    padded('"a"', '"xyz"'),
    padded('"b"', padding),
  ]),
  'a finish reason that stays': [
    text('"a"', '"finish_reason":"stop"'),
    text('"b"', '"finish_reason":"stop"'),
  ],
  'another choice': [
    '{"choices":[{"index":1,"delta":{"content":"a"}}]}',
    '{"choices":[{"index":1,"delta":{"content":"b"}}]}',
  ],
  'a call beside the text': [
    ...['a', 'b'].map(
      (said) =>
        `{"choices":[{"delta":{"content":"${said}","tool_calls":[{"index":0,"function":{"arguments":"1"}}]}}]}`,
    ),
    '{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"call","function":{"name":"add","arguments":"1"}}]}}]}',
  ],
  reasoning: ['a', 'b', ''].map(
    (said) => `{"choices":[{"delta":{"content":null,"reasoning_content":"${said}"}}]}`,
  ),
  'the same data under the name error': [text('"a"'), { event: 'error', data: text('"b"') }],
  'junk between the texts': [text('"a"'), 'junk', text('"b"'), text('"c"'), 'junk'],
};

describe('patternDecoder', () => {
  it.each(Object.entries(streams))('emits what chunkDecoder emits: %s', (_, messages) => {
    expect(decode(patternDecoder, messages)).toEqual(decode(chunkDecoder, messages));
  });

  it('emits what chunkDecoder emits, whatever is put in the place of the text', () => {
    const said = fc.oneof(
      fc.json(),
      fc.string(),
      fc.string({ unit: 'binary' }).map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(fc.array(said), (texts) => {
        const messages = ['"a"', ...texts].flatMap((value) => [
          text(value),
          padded(value, '"x"'),
          padded('"b"', value),
        ]);
        expect(decode(patternDecoder, messages)).toEqual(decode(chunkDecoder, messages));
      }),
    );
  });

  it('does not parse a chunk that is the last one again but for its text', () => {
    const parse = jest.spyOn(JSON, 'parse');
    decode(patternDecoder, [text('"Hi"'), text('" there"'), text('"!"')]);
    const parsed = parse.mock.calls.map(([data]) => data);
    parse.mockRestore();
    expect(parsed).toContain(text('"Hi"'));
    expect(parsed).not.toContain(text('" there"'));
    expect(parsed).not.toContain(text('"!"'));
  });

  it('parses a chunk that says more than its text', () => {
    const parse = jest.spyOn(JSON, 'parse');
    const chunks = ['a', 'b'].map((said) => `{"choices":[{"delta":{"content":"${said}","new":"x"}}]}`);
    decode(patternDecoder, chunks);
    const parsed = parse.mock.calls.map(([data]) => data);
    parse.mockRestore();
    expect(parsed).toEqual(expect.arrayContaining(chunks));
  });

  it('parses each chunk once, and no more, where none is like the last', () => {
    const unlike = (count: number) =>
      Array.from({ length: count }, (_, index) => text('"a"', `"n":${index}`));
    const parsesOf = (messages: readonly string[]) => {
      const parse = jest.spyOn(JSON, 'parse');
      decode(patternDecoder, messages);
      const { length } = parse.mock.calls;
      parse.mockRestore();
      return length;
    };
    expect(parsesOf(unlike(1_000)) - parsesOf(unlike(500))).toBe(500);
  });

  it('gives each chunk as it came where chunks are asked for', () => {
    const messages = [text('"a"'), text('"b"')];
    const { events } = decode(patternDecoder, messages, { includeChunks: true });
    expect(events).toEqual(decode(chunkDecoder, messages, { includeChunks: true }).events);
    expect(events.map(({ type }) => type)).toEqual([
      'chunk',
      'output_item_done',
      'chunk',
      'output_item_done',
      'completed',
    ]);
  });
});
