import { type ResponseEvent, StreamError, type UnexpectedStatusError } from '../../src/index.js';
import { completed, text } from '../support/events.js';
import { done, finishChunk, textChunk } from '../support/wire.js';
import { heldMemory } from '../support/heap.js';
import {
  attack,
  bomb,
  head,
  hostileServer,
  inTheKernel,
  key,
  MiB,
  oneRead,
  prompt,
  repeated,
  transports,
  type Wire,
} from './hostile.js';

jest.setTimeout(60_000);

const maxEventSize = MiB;
const bound = { options: { maxEventSize }, measures: true };
const gzip = { 'content-encoding': 'gzip' };
const json = { 'content-type': 'application/json' };

/** What a process may hold on to when an attack is over: connections, caches, compiled code. */
const remains = 32 * MiB;

const tooLarge = (size = maxEventSize) =>
  new StreamError({ message: `An event of the stream is larger than ${size} bytes (maxEventSize).` });
const answerTooLarge = new StreamError({
  message: `The response is larger than ${maxEventSize} bytes (maxEventSize).`,
});
const said = (content: string): readonly ResponseEvent[] => [
  text(content),
  completed({ finishReason: 'stop' }),
];
/** Something, and then the same for ever. */
function* begun(start: string, rest: string): Wire {
  yield start;
  yield* repeated(rest);
}

const ok = textChunk('ok') + finishChunk() + done;

describe.each(transports)('over %s', (name, open) => {
  const transport = open();

  describe('an event without end', () => {
    it.each<[string, (repeat: typeof repeated) => Wire]>([
      ['a line', (repeat) => repeat('x'.repeat(64 * 1024))],
      ['bytes that are no UTF-8', (repeat) => repeat(Buffer.alloc(64 * 1024, 0xff))],
      ['lines of data', (repeat) => repeat(`data: ${'x'.repeat(1_000)}\n`.repeat(64))],
    ])('of %s ends at maxEventSize, and the server is left', async (_, rest) => {
      const { ending, error, read, sent, kept } = await attack(
        transport,
        function* () {
          yield head() + 'data: ';
          yield* rest(repeated);
        },
        bound,
      );
      expect([ending, error]).toEqual(['StreamError', tooLarge()]);
      expect(read).toBeLessThan(maxEventSize + oneRead);
      expect(sent).toBeLessThan(maxEventSize + inTheKernel);
      expect(kept).toBeLessThan(remains);
    });

    it('of 100 MB ends at the default limit of 32 MiB', async () => {
      const { error, read, sent, kept } = await attack(
        transport,
        function* () {
          yield head() + 'data: ';
          yield* repeated('x'.repeat(MiB), 100);
          yield `\n\n${ok}`;
        },
        { measures: true },
      );
      expect(error).toEqual(tooLarge(32 * MiB));
      expect(read).toBeLessThan(32 * MiB + oneRead);
      expect(sent).toBeLessThan(32 * MiB + inTheKernel);
      expect(kept).toBeLessThan(remains);
    });
  });

  describe('gzip of a megabyte or less that unfolds to hundreds', () => {
    const GiB = 1024 * MiB;

    it.each<[string, string, Uint8Array, StreamError]>([
      ['an event without end', head(gzip), bomb('data: ', 'x', GiB / 4), tooLarge()],
      ['an event of empty lines of data', head(gzip), bomb('', 'data:\n', GiB / 4), tooLarge()],
      ['an answer in JSON', head({ ...json, ...gzip }), bomb('{"a":"', 'x', GiB / 4), answerTooLarge],
      ['blank lines before anything', head(gzip), bomb('', '\r\n', GiB / 4), answerTooLarge],
    ])('%s is unpacked up to maxEventSize', async (_, start, packed, expected) => {
      const { error, read, kept } = await attack(transport, () => [start, packed], bound);
      expect(error).toEqual(expected);
      // Of an event of empty lines each line counts as the one line feed that it adds.
      expect(read).toBeLessThan(6 * maxEventSize + oneRead);
      expect(kept).toBeLessThan(remains);
    });

    it.each([
      ['400 Bad Request', 'UnexpectedStatusError'],
      ['429 Too Many Requests', 'RetryLimitError'],
    ])('the body of a %s is unpacked up to 64 KiB', async (status, expected) => {
      const { ending, error, read, kept } = await attack(
        transport,
        () => [head({ ...json, ...gzip }, status), bomb('{"error":{"message":"', 'x', GiB)],
        { measures: true },
      );
      expect(ending).toBe(expected);
      expect((error as UnexpectedStatusError).body).toHaveLength(64 * 1024);
      expect(read).toBeLessThan(64 * 1024 + oneRead);
      expect(kept).toBeLessThan(remains);
    });
  });

  describe('what says nothing', () => {
    it('comments without end are no events: the idle timeout ends them, and nothing is held', async () => {
      let held = 0;
      const before = heldMemory();
      const { ending, events, read } = await attack(
        transport,
        function* () {
          yield head();
          yield* repeated(`:${' '.repeat(998)}\n`.repeat(64), 1024);
          yield textChunk('here');
          yield* repeated(':\n'.repeat(32 * 1024));
        },
        { onEvent: () => (held = heldMemory() - before), passTime: 'at the first text' },
      );
      expect([ending, events]).toEqual(['IdleTimeoutError', [text('here')]]);
      expect(read).toBeGreaterThan(1024 * 64_000);
      expect(held).toBeLessThan(remains);
    });

    it.each<[string, string, number]>([
      ['blank lines', '\n', 1_000_000],
      ['blank lines of CR LF', '\r\n', 500_000],
      ['event fields', 'event:\n\n', 100_000],
      ['id fields', 'id:\n\n', 100_000],
      ['retry fields', 'retry:\n\n', 5_000],
      ['events without data', 'data:\n\n', 2_000],
      ['events of null', 'data: null\n\n', 20_000],
      ['events of an empty chunk', 'data: {}\n\n', 20_000],
    ])('%s by the thousand are passed over', async (_, line, times) => {
      const { error, events } = await attack(transport, function* () {
        yield head();
        // The first event shows what the answer is: until then all is held.
        yield ':\n';
        yield* repeated(line.repeat(times / 50), 50);
        yield ok;
      });
      expect([error, events]).toEqual([undefined, said('ok')]);
    });
  });

  describe('an end that does not come', () => {
    it.each(['1000000000000', '9007199254740991'])(
      'a Content-Length of %s is not waited for after [DONE]',
      async (length) => {
        const { error, events } = await attack(transport, () => [head({ 'content-length': length }) + ok]);
        expect([error, events]).toEqual([undefined, said('ok')]);
      },
    );

    it('a Content-Length beyond any number is no answer', async () => {
      const { ending } = await attack(transport, () => [head({ 'content-length': '9'.repeat(100) }) + ok]);
      expect(ending).toBe('TransportError');
    });

    it.each([
      ['400 Bad Request', 'UnexpectedStatusError'],
      ['429 Too Many Requests', 'RetryLimitError'],
      ['500 Internal Server Error', 'RetryLimitError'],
    ])('the endless body of a %s is read up to 64 KiB', async (status, expected) => {
      const { ending, error, read, sent } = await attack(transport, function* () {
        yield head(json, status);
        yield* repeated('x'.repeat(16 * 1024));
      });
      expect(ending).toBe(expected);
      expect((error as UnexpectedStatusError).body).toBe('x'.repeat(64 * 1024));
      expect(read).toBeLessThan(64 * 1024 + oneRead);
      expect(sent).toBeLessThan(inTheKernel);
    });

    it('the body of a 400 that stops half-way is waited for 5 s', async () => {
      const { ending, error } = await attack(transport, () => [head(json, '400 Bad Request') + 'half'], {
        passTime: 'at the answer',
      });
      expect([ending, (error as UnexpectedStatusError).body.length <= 4]).toEqual([
        'UnexpectedStatusError',
        true,
      ]);
    });
  });

  describe('headers', () => {
    it('of 300 names are read over', async () => {
      const many = Array.from({ length: 300 }, (_, at) => [`x-header-${at}`, 'value']);
      const { error, events } = await attack(transport, () => [
        head(Object.fromEntries(many) as Record<string, string>) + ok,
      ]);
      expect([error, events]).toEqual([undefined, said('ok')]);
    });

    it.each<[string, () => Wire]>([
      ['of 5,000 names', () => [head({ [`x-a: b\r\n`.repeat(5_000) + 'x-end']: 'c' }) + ok]],
      ['with a value of 4 MiB', () => [head({ 'x-long': 'x'.repeat(4 * MiB) }) + ok]],
      ['with a name of 4 MiB', () => [head({ ['x'.repeat(4 * MiB)]: 'x' }) + ok]],
      ['with a Retry-After of 1 MB', () => [head({ 'retry-after': '9'.repeat(1e6) }, '429 Slow')]],
      ['without end', () => begun('HTTP/1.1 200 OK\r\n', 'x-a: b\r\n'.repeat(8 * 1024))],
    ])('%s are no answer', async (_, wire) => {
      const { ending, sent } = await attack(transport, wire);
      expect(ending).toBe('TransportError');
      expect(sent).toBeLessThan(inTheKernel);
    });
  });

  describe('what comes before the headers', () => {
    const limited = { options: { responseTimeout: 1_000 }, measures: true };

    it.each<[string, () => Wire]>([
      ['headers that drip', () => Array.from('HTTP/1.1 200 OK\r\nx-slow: value\r\nx-slower: ')],
      ['early hints without end', () => repeated('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n', 300)],
      ['processing without end', () => repeated('HTTP/1.1 102 Processing\r\n\r\n', 300)],
    ])('%s: the response timeout ends it', async (_, wire) => {
      const { ending, events, kept } = await attack(transport, wire, {
        ...limited,
        passTime: 'when written',
      });
      expect([ending, events]).toEqual(['ResponseTimeoutError', []]);
      expect(kept).toBeLessThan(remains);
    });

    it('a switch of protocols that nobody asked for is no answer', async () => {
      const { ending } = await attack(
        transport,
        () => [head({ upgrade: 'websocket', connection: 'upgrade' }, '101 Switching Protocols')],
        { ...limited, ...(name === 'cross-fetch' && { passTime: 'when written' as const }) },
      );
      // node-fetch says nothing of it: only the limit does.
      expect(ending).toBe(name === 'cross-fetch' ? 'ResponseTimeoutError' : 'TransportError');
    });

    it('a reason phrase without end is no answer', async () => {
      const { ending, sent, kept } = await attack(
        transport,
        function* () {
          yield 'HTTP/1.1 200 ';
          yield* repeated('O'.repeat(64 * 1024), 512);
        },
        { ...limited, passTime: 'when written' },
      );
      // Node's HTTP client refuses it; global fetch reads on until the limit.
      expect(ending).toBe(name === 'global fetch' ? 'ResponseTimeoutError' : 'TransportError');
      expect(sent).toBeLessThan(33 * MiB);
      expect(kept).toBeLessThan(remains);
    });
  });

  describe('chunked transfer', () => {
    const chunked = head({ 'transfer-encoding': 'chunked' });
    const sized = (bytes: string, extension = '') =>
      `${Buffer.byteLength(bytes).toString(16)}${extension}\r\n${bytes}\r\n`;

    it('in chunks of one byte, each with an extension, is put together', async () => {
      const stream = textChunk('x'.repeat(200)) + finishChunk() + done;
      const { error, events } = await attack(transport, () => [
        chunked,
        ...Array.from(stream).map((byte) => sized(byte, `;name=${'v'.repeat(100)}`)),
      ]);
      expect([error, events]).toEqual([undefined, said('x'.repeat(200))]);
    });

    it('with an extension without end holds nothing, and a limit ends it', async () => {
      const { ending, sent, read, kept } = await attack(
        transport,
        function* () {
          yield chunked + sized(textChunk('here')) + '1;';
          yield* repeated('x'.repeat(64 * 1024), 256);
        },
        { passTime: 'when written', measures: true },
      );
      // Node's HTTP client refuses it; global fetch reads on for as long as it may be idle.
      expect(ending).toBe(name === 'global fetch' ? 'IdleTimeoutError' : 'StreamError');
      expect(sent).toBeLessThan(17 * MiB);
      expect(read).toBeLessThanOrEqual(textChunk('here').length);
      expect(kept).toBeLessThan(remains);
    });
  });

  describe('a redirect to another origin', () => {
    it('is not followed whatever its status: neither prompt nor key arrives there', async () => {
      const other = await hostileServer(() => [head() + ok]);
      const location = `${other.baseUrl}/chat/completions`;
      for (const status of [300, 301, 302, 303, 304, 305, 306, 307, 308]) {
        const { ending, requests } = await attack(
          transport,
          () => [head({ location, 'content-length': '0' }, `${status} Elsewhere`)],
          { options: { retry: { maxRetries: 4 } } },
        );
        const isRefused = [301, 302, 303, 307, 308].includes(status);
        expect([status, ending]).toEqual([status, isRefused ? 'TransportError' : 'UnexpectedStatusError']);
        expect(requests).toEqual([expect.stringContaining(prompt)]);
        expect(requests).toEqual([expect.stringContaining(key)]);
      }
      expect(other.requests).toEqual([]);
      await other.close();
    });

    it.each<[string, Readonly<Record<string, string>>]>([
      ['Refresh', { refresh: '0; url=' }],
      ['Content-Location', { 'content-location': '' }],
      ['Location', { location: '' }],
      ['Alt-Svc', { 'alt-svc': 'h2=' }],
    ])('is not read into the %s of a 200', async (_, headers) => {
      const other = await hostileServer(() => [head() + textChunk('other') + done]);
      const [[field, value] = ['', '']] = Object.entries(headers);
      const { error, events } = await attack(transport, () => [
        head({ [field]: `${value}${other.baseUrl}/chat/completions` }) + ok,
      ]);
      expect([error, events]).toEqual([undefined, said('ok')]);
      expect(other.requests).toEqual([]);
      await other.close();
    });
  });

  describe('Retry-After', () => {
    const wait = async (...headers: readonly string[]) => {
      const { error, events, requests } = await attack(
        transport,
        (request) =>
          request > 0
            ? [head() + ok]
            : [
                `HTTP/1.1 429 Slow\r\nconnection: close\r\ncontent-length: 0\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`,
              ],
        { options: { includeRetries: true, retry: { maxRetries: 4, random: () => 0.5 } } },
      );
      const [first] = events;
      return first?.type === 'retrying'
        ? { delay: first.delay, requests: requests.length }
        : { error: (error as Error).name, retryAfter: (error as { retryAfter?: number }).retryAfter };
    };
    const backedOff = { delay: 200, requests: 2 };

    it('that is no time is no wait: the backoff counts', async () => {
      for (const value of ['1e400', '-1', 'NaN', 'Infinity', '-0', '0x10', '1_000', '\u00b2', '']) {
        expect([value, await wait(`retry-after: ${value}`)]).toEqual([value, backedOff]);
      }
    });

    it('of a minute or less, or of the past, is waited for', async () => {
      const waits: readonly (readonly [string, number])[] = [
        ['0', 0],
        ['0.5', 500],
        ['0.0000000001', 0],
        ['60', 60_000],
        ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
      ];
      for (const [value, delay] of waits) {
        expect([value, await wait(`retry-after: ${value}`)]).toEqual([value, { delay, requests: 2 }]);
      }
    });

    it('of more than a minute is too long: the turn fails at once', async () => {
      const waits: readonly (readonly [string, number])[] = [
        ['60.001', 60_001],
        ['9'.repeat(15), 999_999_999_999_999_000],
        ['9'.repeat(8_000), Infinity],
      ];
      for (const [value, retryAfter] of waits) {
        expect(await wait(`retry-after: ${value}`)).toEqual({ error: 'RetryLimitError', retryAfter });
      }
    });

    it('of the year 9999 is too long', async () => {
      const wish = 'retry-after: Fri, 31 Dec 9999 23:59:59 GMT';
      expect(await wait('date: Fri, 31 Dec 9999 00:00:00 GMT', wish)).toEqual({
        error: 'RetryLimitError',
        retryAfter: 86_399_000,
      });
    });

    it('given twice is the first one, or none where the platform joins them', async () => {
      expect(await wait('retry-after: 1', 'retry-after: 50')).toEqual(
        name === 'global fetch' ? backedOff : { delay: 1_000, requests: 2 },
      );
    });
  });
});
