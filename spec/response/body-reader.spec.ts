import { concat, from, NEVER, of, throwError } from 'rxjs';
import { ChatCompletionsError, StreamError, UnexpectedContentError } from '../../src/turn/errors.js';
import { bodyReader, type BodyReaderOptions } from '../../src/response/body-reader.js';
import { pieces } from '../conformance/cuts.js';
import { record } from '../conformance/record-events.js';
import { bodyEvents } from '../support/body-events.js';

const utf8 = (text: string) => new TextEncoder().encode(text);
const eventStream = 'text/event-stream';

function read(
  parts: readonly (string | Uint8Array)[],
  contentType: string | null = eventStream,
  options: Partial<BodyReaderOptions> = {},
) {
  const reads = parts.map((part) => (typeof part === 'string' ? utf8(part) : part));
  return record(from(reads).pipe(bodyEvents({ status: 200, contentType, ...options })));
}

/** What a body gives, byte by byte: its events, without the batches that they came in. */
function readBytewise(text: string, contentType: string | null, options: Partial<BodyReaderOptions> = {}) {
  const { events, error, ended } = read(pieces(utf8(text), 1), contentType, options);
  return { events: events.flat(), error, ended };
}

function expectUnexpected(
  error: unknown,
  details: { status?: number; contentType: string; snippet: string },
) {
  expect(error).toBeInstanceOf(UnexpectedContentError);
  expect(error).toMatchObject({ status: 200, ...details });
}

describe('bodyReader()', () => {
  describe('of an event stream', () => {
    it('gives one batch for each read, empty where it completed no event, and one at the end', () => {
      expect(read(['data: 1\n\ndata: 2\n\n', 'da', 'ta: 3\n\n'])).toEqual({
        events: [[{ data: '1' }, { data: '2' }], [], [{ data: '3' }], []],
        error: undefined,
        ended: 1,
      });
    });

    const chunk = '{"choices":[]}';
    const stray = (length: number) => `{"error":"${'x'.repeat(length - '{"error":""}'.length)}"}`;

    it.each([
      ['a chunk', `data: ${chunk}`, [{ data: chunk, json: { choices: [] } }]],
      ['a chunk and its line feed', `data: ${chunk}\n`, [{ data: chunk, json: { choices: [] } }]],
      ['two chunks, a line each', `data: ${chunk}\ndata: ${chunk}`, [{ data: `${chunk}\n${chunk}` }]],
      ['a chunk and one that was cut', `data: ${chunk}\ndata: {"ch`, [{ data: `${chunk}\n{"ch` }]],
      ['[DONE]', 'data: [DONE]', [{ data: '[DONE]' }]],
      ['a chunk and [DONE]', `data: ${chunk}\ndata: [DONE]\n`, [{ data: `${chunk}\n[DONE]` }]],
      ['an error', 'event: error\ndata: gone', [{ event: 'error', data: 'gone' }]],
    ])('gives, at its end, %s that no blank line ended', (_, last, expected) => {
      for (const parts of [[`data: 1\n\n${last}`], pieces(utf8(`data: 1\n\n${last}`), 1)]) {
        const { events, error } = read(parts);
        expect(events.at(-1)).toEqual(expected);
        expect(events.flat()).toEqual([{ data: '1' }, ...expected]);
        expect(error).toBeUndefined();
      }
    });

    it('gives none of that where the body breaks', () => {
      const broken = concat(
        of(utf8(`data: ${chunk}`)),
        throwError(() => new StreamError()),
      );
      expect(record(broken.pipe(bodyEvents({ status: 200, contentType: eventStream }))).events).toEqual([[]]);
    });

    it.each([
      ['in one line', '{"error":{"code":500}}\n', ['{"error":{"code":500}}']],
      ['in one line that nothing ends', '{"error":"gone"}', ['{"error":"gone"}']],
      [
        'in several lines',
        '{\n  "error": {\n    "code": 500\n  }\n}\n',
        ['{\n  "error": {\n    "code": 500\n  }\n}'],
      ],
      ['in a list', '[{"error":{"code":500}}]\n', ['[{"error":{"code":500}}]']],
      ['twice', '{"error":"a"}\n\n{"error":"b"}\n', ['{"error":"a"}', '{"error":"b"}']],
      ['after one that was cut', '{"error":{"co\n{"error":"gone"}\n', ['{"error":"gone"}']],
      [
        'in several lines, the first of which closes a bracket',
        '{"error":{"code":500},\n"id":1\n}\n',
        ['{"error":{"code":500},\n"id":1\n}'],
      ],
      ['with a blank behind it', '{"error":"gone"} \n', ['{"error":"gone"} ']],
      ['that is none', '{"hello":1}\n{\n}\n}\n', []],
      ['as prose', 'Error: gone\n', []],
      ['in 64 KiB', stray(65_536) + '\n', [stray(65_536)]],
      ['in more than 64 KiB', stray(65_537) + '\n', []],
    ])('gives an error that stands between its events as bare JSON, %s', (_, stray, expected) => {
      const body = `data: ${chunk}\n\n${stray}`;
      for (const parts of [[body], pieces(utf8(body), 7)]) {
        const { events, error } = read(parts);
        expect(events.flat().map(({ data }) => data)).toEqual([chunk, ...expected]);
        expect(error).toBeUndefined();
      }
    });

    it('drops what no blank line ended, where it is not whole', () => {
      expect(read(['data: 1\n\ndata: 2\n'])).toEqual({
        events: [[{ data: '1' }], []],
        error: undefined,
        ended: 1,
      });
    });

    it.each(['\n', '\ufeff', '\r\n\n'])('that begins with a read of nothing but %j', (blank) => {
      expect(read([blank, 'data: 1\n\n'])).toEqual({
        events: [[], [{ data: '1' }], []],
        error: undefined,
        ended: 1,
      });
    });

    it('passes a break on as it is', () => {
      const broken = new StreamError();
      const source = concat(
        of(utf8('data: 1\n\n')),
        throwError(() => broken),
      );
      expect(record(source.pipe(bodyEvents({ status: 200, contentType: eventStream })))).toEqual({
        events: [[{ data: '1' }]],
        error: broken,
        ended: 1,
      });
    });

    it('starts afresh with each subscription', () => {
      const turn = of(utf8('data: 1\n\nda')).pipe(bodyEvents({ status: 200, contentType: eventStream }));
      const expected = { events: [[{ data: '1' }], []], error: undefined, ended: 1 };
      expect(record(turn)).toEqual(expected);
      expect(record(turn)).toEqual(expected);
    });

    it('tells of comments, those before the first event too', () => {
      const onComment = jest.fn();
      read([':', ' ping', '\n\ndata: 1\n\n', ': ping\n\n'], null, { onComment });
      expect(onComment).toHaveBeenCalledTimes(2);
    });

    it('errors where an event is larger than maxEventSize', () => {
      const { events, error, ended } = read(['data: 1\n\n', `data: ${'x'.repeat(33)}\n\n`], eventStream, {
        maxEventSize: 32,
      });
      expect(events.flat()).toEqual([{ data: '1' }]);
      expect(error).toEqual(
        new StreamError({ message: 'An event of the stream is larger than 32 bytes (maxEventSize).' }),
      );
      expect(ended).toBe(1);
    });

    it.each([
      eventStream,
      'Text/Event-Stream; charset=utf-8',
      ' text/event-stream;',
      'text/event-stream;charset=windows-1252',
    ])('takes any beginning for one where the type is "%s"', (contentType) => {
      expect(read(['unknown: é\n\ndata: é\n\n'], contentType)).toEqual({
        events: [[{ data: 'é' }], []],
        error: undefined,
        ended: 1,
      });
    });
  });

  describe('of an event stream with the type of something else', () => {
    it.each([
      'application/json',
      'text/plain; charset=utf-8',
      'application/octet-stream',
      'text/html',
      'bogus',
      '',
      null,
    ])('gives the same events (%s)', (contentType) => {
      const expected = { events: [{ data: '1' }, { data: '2' }], error: undefined, ended: 1 };
      const text = 'data: 1\n\ndata: 2\n\n';
      const { events, ...end } = read([text], contentType);
      expect({ events: events.flat(), ...end }).toEqual(expected);
      expect(readBytewise(text, contentType)).toEqual(expected);
    });

    it.each([
      ['a comment', ': ping\n\n'],
      ['an empty comment', ':\n\n'],
      ['an event type', 'event: message\n'],
      ['an event type without a value', 'event\n'],
      ['an id', 'id: 1\n'],
      ['an id without a value', 'id\r\n'],
      ['a retry time', 'retry: 1\n'],
      ['a retry time without a value', 'retry\r'],
      ['data without a value', 'data\n'],
      ['data without a space', 'data:\n'],
      ['blank lines', '\n\r\n\n'],
      ['a byte order mark', '\ufeff'],
      ['a byte order mark and a comment', '\ufeff: ping\n\n'],
    ])('knows it by %s, byte by byte too', (_, beginning) => {
      const text = `${beginning}\n\ndata: [DONE]\n\n`;
      const { events } = read([text], 'text/plain');
      expect(events.flat().at(-1)?.data).toBe('[DONE]');
      const { events: same, error, ended } = readBytewise(text, 'text/plain');
      expect({ events: same, error, ended }).toEqual({ events: events.flat(), error: undefined, ended: 1 });
    });

    it.each(['database is gone', 'identity unknown', 'eventually', 'retrying', 'hello', 'data', 'e', '42'])(
      'does not take "%s" for one',
      (text) => {
        const { events, error, ended } = readBytewise(text, 'text/plain');
        expect(events).toEqual([]);
        expectUnexpected(error, { contentType: 'text/plain', snippet: text });
        expect(ended).toBe(1);
      },
    );

    it.each(['Error: gone', 'no data: x', 'no id\n', ' a\nevent\n'])(
      'does not take "%s" for one because of what stands inside it',
      (text) => {
        const { events, error, ended } = read([text], 'text/plain');
        expect(events.flat()).toEqual([]);
        expectUnexpected(error, { contentType: 'text/plain', snippet: text });
        expect(ended).toBe(1);
      },
    );
  });

  describe('of a completion in JSON', () => {
    const choice = { index: 0, message: { role: 'assistant', content: 'Grüß 👋' }, finish_reason: 'stop' };
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    const completion = { id: 'chatcmpl-1', model: 'm', choices: [choice, 7], usage };
    const chunk = { ...completion, choices: [{ ...choice, delta: choice.message }, 7] };
    const text = JSON.stringify(completion);

    it.each(['application/json', eventStream, 'text/plain', null])(
      'gives, at its end, the one chunk that it stands for (%s)',
      (contentType) => {
        for (const parts of [[text], [`\r\n ${text}\n`], [`\ufeff${text}`], pieces(utf8(text), 1)]) {
          const { events, error, ended } = read(parts, contentType);
          expect(events.map((batch) => batch.map(({ json }) => json))).toEqual([
            ...parts.map(() => []),
            [chunk],
          ]);
          expect(JSON.parse(events.flat()[0]?.data ?? '')).toEqual(completion);
          expect({ error, ended }).toEqual({ error: undefined, ended: 1 });
        }
      },
    );

    it('waits for its end, however large it is', () => {
      const large = JSON.stringify({ choices: [{ message: { content: 'long '.repeat(200) } }] });
      const { events, error, ended } = read(pieces(utf8(large), 300), 'application/json');
      expect(events.map((batch) => batch.length)).toEqual([0, 0, 0, 0, 1]);
      expect({ error, ended }).toEqual({ error: undefined, ended: 1 });
    });

    it('gives a choice without a message as it is', () => {
      const data = '{"choices":[{"finish_reason":"stop"},null]}';
      expect(read([data], 'application/json').events.flat()).toEqual([
        { data, json: JSON.parse(data) as unknown },
      ]);
    });

    it.each([
      '{"error":{"message":"no"}}',
      '{"error":"no"}',
      '[{"error":{"code":404}}]',
      '{"object":"error"}',
      '{"detail":"no"}',
    ])('gives an error that has status 200 as it is: %s', (error) => {
      for (const contentType of ['application/json', eventStream, null]) {
        expect(readBytewise(error, contentType)).toEqual({
          events: [{ data: error, json: JSON.parse(error) as unknown }],
          error: undefined,
          ended: 1,
        });
        expect(read([error], contentType)).toEqual({
          events: [[], [{ data: error, json: JSON.parse(error) as unknown }]],
          error: undefined,
          ended: 1,
        });
      }
    });

    it.each([
      '{"hello":1}',
      '{"choices":{}}',
      '{}',
      '[]',
      '[1]',
      '{"choices":[{"mess',
      '{"choices":[]}\n{"choices":[]}',
    ])('errors where it is none: %s', (other) => {
      for (const parts of [[other], pieces(utf8(other), 1)]) {
        const { events, error, ended } = read(parts, 'application/json');
        expect(events.flat()).toEqual([]);
        expectUnexpected(error, { contentType: 'application/json', snippet: other });
        expect(ended).toBe(1);
      }
    });

    it('takes no key of the wire for a prototype', () => {
      const { events } = read(
        ['{"__proto__":{"x":1},"choices":[{"__proto__":{"y":1},"message":{"content":"a"}}]}'],
        'application/json',
      );
      const [event] = events.flat();
      expect(JSON.stringify(event?.json)).toBe(
        '{"__proto__":{"x":1},"choices":[{"__proto__":{"y":1},"message":{"content":"a"},"delta":{"content":"a"}}]}',
      );
      expect(Object.keys(Object.prototype)).toEqual([]);
    });

    it('gives an error in a list, however long it is', () => {
      const long = JSON.stringify([{ error: { code: 400, message: 'no '.repeat(200) } }]);
      const events = [{ data: long, json: JSON.parse(long) as unknown }];
      const expected = { events, error: undefined, ended: 1 };
      const { events: given, ...end } = read([long], 'application/json');
      expect({ events: given.flat(), ...end }).toEqual(expected);
      expect(readBytewise(long, 'application/json')).toEqual(expected);
    });

    it('errors at once where it is larger than maxEventSize, and not where it is as large', () => {
      const maxEventSize = text.length + 8;
      const atLimit = text.padEnd(maxEventSize - (utf8(text).length - text.length));
      expect(utf8(atLimit)).toHaveLength(maxEventSize);
      expect(read([atLimit], 'application/json', { maxEventSize }).error).toBeUndefined();

      const endless = concat(from([utf8(atLimit), utf8(' ')]), NEVER);
      const { error, ended } = record(
        endless.pipe(bodyEvents({ status: 200, contentType: 'application/json', maxEventSize })),
      );
      expect(error).toEqual(
        new StreamError({ message: `The response is larger than ${maxEventSize} bytes (maxEventSize).` }),
      );
      expect(ended).toBe(1);
    });

    const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

    it('gives no error but its own kind where the completion is nested beyond reason', () => {
      const { events, error } = read(
        [`{"choices":[{"message":{"content":${deep(100_000)}}}]}`],
        'application/json',
      );
      expect(error instanceof ChatCompletionsError ? undefined : error).toBeUndefined();
      expect(events.flat().map(({ data }) => typeof data)).toEqual(error === undefined ? ['string'] : []);
    });

    it('errors where it is nothing but nesting', () => {
      const { error } = read([deep(100_000)], 'application/json');
      expect(error).toBeInstanceOf(UnexpectedContentError);
    });
  });

  describe('of something else', () => {
    const page = `<!doctype html><title>Sign in</title>${'<p>Please sign in.</p>'.repeat(40)}`;

    it.each(['text/html', eventStream, null])('errors with how it begins (%s)', (contentType) => {
      for (const parts of [[page], pieces(utf8(page), 1)]) {
        const { events, error, ended } = read(parts, contentType);
        expect(events.flat()).toEqual([]);
        expectUnexpected(error, { contentType: contentType ?? '', snippet: page.slice(0, 200) });
        expect(ended).toBe(1);
      }
    });

    it('errors once 256 bytes show what it is, and does not wait for the rest', () => {
      const reads = pieces(utf8(page), 64);
      const { events, error, ended } = record(
        concat(from(reads), NEVER).pipe(bodyEvents({ status: 203, contentType: 'text/html' })),
      );
      expect(events).toEqual([[], [], []]);
      expectUnexpected(error, { status: 203, contentType: 'text/html', snippet: page.slice(0, 200) });
      expect(ended).toBe(1);
    });

    it('errors with text as with a page, at 256 bytes and no sooner', () => {
      const words = 'Please sign in. '.repeat(20);
      const reads = [utf8(words.slice(0, 255)), utf8(words.slice(255, 256))];
      const { events, error, ended } = record(
        concat(from(reads), NEVER).pipe(bodyEvents({ status: 200, contentType: 'text/plain' })),
      );
      expect(events).toEqual([[]]);
      expectUnexpected(error, { contentType: 'text/plain', snippet: words.slice(0, 200) });
      expect(ended).toBe(1);
    });

    it('cuts what it shows between two characters', () => {
      const words = '你'.repeat(100);
      const { error } = read([utf8(words).subarray(0, 256)], 'text/plain');
      expectUnexpected(error, { contentType: 'text/plain', snippet: '你'.repeat(85) });
    });

    it('takes only what stands at the beginning for its type', () => {
      const { error } = read(['hello'], '; charset=utf-8, text/html');
      expectUnexpected(error, { contentType: '', snippet: 'hello' });
    });

    it('errors at its end where it is short', () => {
      const { events, error, ended } = read([' <html>', '</html>'], 'text/html');
      expect(events).toEqual([[], []]);
      expectUnexpected(error, { contentType: 'text/html', snippet: ' <html></html>' });
      expect(ended).toBe(1);
    });

    it('shows no secret, no more than 200 characters, and none of them in the message or to a logger', () => {
      const secret = 'sk-1234567890abcdef';
      const redact = (text: string) => text.replaceAll(secret, '***');
      const { error } = read([`<p>${'é'.repeat(190)}${secret}${'ä'.repeat(200)}`], 'text/html', { redact });
      expectUnexpected(error, { contentType: 'text/html', snippet: `<p>${'é'.repeat(190)}***ääää` });
      expect(JSON.stringify(error)).not.toContain('é');
      expect((error as UnexpectedContentError).message).toBe(
        'The provider returned status 200 with text/html instead of an event stream. Check the base URL.',
      );
    });

    it('looks for secrets in its first 4,096 characters alone', () => {
      const redact = jest.fn((text: string) => text);
      read([`<p>${'x'.repeat(1_000_000)}`], 'text/html', { redact });
      expect(redact.mock.calls.map(([text]) => text.length)).toEqual(['text/html'.length, 4_096]);
    });

    it.each([
      ['has another character', 'text/ht ml!x'.replace(' ', '(')],
      ['is longer than 64 characters in one part', `text/${'x'.repeat(65)}`],
      ['has no second part', 'text'],
      ['repeats a secret', 'text/sk-1234567890'],
    ])('tells no type that %s', (_, type) => {
      const redact = (text: string) => text.replaceAll('sk-1234567890', '***');
      const { error } = read(['hello'], type, { redact });
      expectUnexpected(error, { contentType: '', snippet: 'hello' });
      expect((error as Error).message).toContain('no content type');
    });

    it.each(['text/html', 'text/html;charset=utf-8', 'text/html charset=utf-8', ' text/html, text/plain'])(
      'tells the type of %j',
      (type) => expectUnexpected(read(['hello'], type).error, { contentType: 'text/html', snippet: 'hello' }),
    );

    it('says that no type was stated where it was not', () => {
      expect((read(['hello'], null).error as UnexpectedContentError).message).toBe(
        'The provider returned status 200 with no content type instead of an event stream. Check the base URL.',
      );
    });
  });

  describe('in memory', () => {
    const { Uint8Array: Bytes } = globalThis;
    let made: number[] = [];

    beforeEach(() => {
      made = [];
      globalThis.Uint8Array = class extends Bytes {
        constructor(length = 0) {
          super(length);
          if (length > 0) made.push(length);
        }
      } as Uint8ArrayConstructor;
    });
    afterEach(() => {
      globalThis.Uint8Array = Bytes;
    });

    it('holds an answer in JSON in less than twice its bytes, and copies each twice at most', () => {
      const reader = bodyReader({ status: 200, contentType: 'application/json' });
      const byte = Bytes.of(0x5b);
      for (let size = 1; size <= 1_000; size += 1) {
        reader.push(byte);
        expect(made.at(-1)).toBeLessThan(2 * size);
      }
      expect(made.reduce((sum, length) => sum + length)).toBeLessThan(4 * 1_000);
    });

    it('makes no room beyond maxEventSize', () => {
      const reader = bodyReader({ status: 200, contentType: 'application/json', maxEventSize: 100 });
      for (const size of [60, 20, 20]) reader.push(utf8('['.repeat(size)));
      expect(made).toEqual([60, 100]);
    });

    it('copies nothing of an event stream', () => {
      const reader = bodyReader({ status: 200, contentType: eventStream });
      for (const data of ['1', '2', '3']) expect(reader.push(utf8(`data: ${data}\n\n`))).toEqual([{ data }]);
      expect(made).toEqual([]);
    });
  });

  describe('of nothing', () => {
    it.each([eventStream, null, 'bogus'])(
      'gives no event where the type is that of a stream or none (%s)',
      (contentType) => {
        expect(read([], contentType)).toEqual({ events: [[]], error: undefined, ended: 1 });
        expect(read(['\n', '\r\n \n'], contentType)).toEqual({
          events: [[], [], []],
          error: undefined,
          ended: 1,
        });
      },
    );

    it.each(['application/json', 'text/html'])('errors where the type is another (%s)', (contentType) => {
      const { events, error, ended } = read([], contentType);
      expect(events).toEqual([]);
      expectUnexpected(error, { contentType, snippet: '' });
      expect(ended).toBe(1);
    });

    it('errors where it is more than maxEventSize of it', () => {
      const { error, ended } = record(
        concat(of(utf8('\n'.repeat(32)), utf8('\n')), NEVER).pipe(
          bodyEvents({ status: 200, contentType: eventStream, maxEventSize: 32 }),
        ),
      );
      expect(error).toBeInstanceOf(StreamError);
      expect(ended).toBe(1);
    });
  });
});
