import { concatMap, defer, map, Subject, toArray } from 'rxjs';
import {
  type HttpRequest,
  IdleTimeoutError,
  ResponseTimeoutError,
  StreamError,
  streamChatCompletions,
  textDeltas,
  TransportError,
} from '../../src/index.js';
import {
  type Cassette,
  type RecordedExchange,
  recordTransport,
  replayTransport,
  scriptedTransport,
  turnOf,
  wireOf,
} from '../../src/testing/index.js';
import { record } from '../conformance/record-events.js';
import { provider } from '../support/events.js';
import { failureOf, testScheduler } from '../support/marbles.js';

const request: HttpRequest = { url: 'http://provider.test', method: 'POST', headers: {}, body: '{}' };

const cassetteOf = (...exchanges: readonly Partial<RecordedExchange>[]): Cassette => ({
  version: 1,
  exchanges: exchanges.map((exchange) => ({
    request: { method: 'POST', url: 'http://provider.test' },
    end: { type: 'complete', at: 0 },
    ...exchange,
  })),
});

const headers = { 'content-type': 'text/event-stream' };

/** A 429 that asks for two seconds, then a stream, with every kind of read. */
const limited = cassetteOf(
  {
    response: { at: 2, status: 429, headers: { 'retry-after': '2' }, body: [{ at: 3, text: '{}' }] },
    end: { type: 'complete', at: 4 },
  },
  {
    response: {
      at: 5,
      status: 200,
      headers,
      body: [
        { at: 15, text: 'data: {"choices":[{"delta":{"content":"' },
        { at: 15, base64: '4g==' },
        { at: 20, base64: 'gqw=' },
        { at: 35, text: '"}}]}\n\n' },
        { at: 36, text: 'data: [DONE]\n\n' },
      ],
    },
    end: { type: 'complete', at: 40 },
  },
);

const options = { model: 'm', provider };

describe('replayTransport()', () => {
  it('plays each exchange at once, one for each request in turn', () => {
    testScheduler().run((helpers) => {
      const transport = replayTransport(limited);
      const turn = streamChatCompletions('Hi', { ...options, transport });
      helpers.expectObservable(turn.pipe(textDeltas())).toBe('2s (a|)', { a: '€' });
      helpers.flush();
      expect(transport.requests).toHaveLength(2);
      expect(transport.aborted).toBe(0);
    });
  });

  it('plays each thing at its recorded time', () => {
    testScheduler().run((helpers) => {
      const transport = replayTransport(limited, { timing: 'recorded' });
      const turn = streamChatCompletions('Hi', { ...options, transport });
      helpers.expectObservable(turn.pipe(textDeltas())).toBe('4ms 2s 35ms a|', { a: '€' });
    });
  });

  it('plays on the scheduler that it is given', () => {
    const scheduler = testScheduler();
    const transport = replayTransport(limited, { timing: 'recorded', scheduler });
    const log: number[] = [];
    transport(request)
      .pipe(concatMap(({ body }) => body))
      .subscribe({ next: () => log.push(scheduler.now()), complete: () => log.push(scheduler.now()) });
    scheduler.flush();
    expect(log).toEqual([3, 4]);
  });

  it('is recorded again as what it plays', () => {
    testScheduler().run((helpers) => {
      const cassettes: Cassette[] = [];
      const transport = recordTransport(replayTransport(limited, { timing: 'recorded' }), (cassette) =>
        cassettes.push(cassette),
      );
      const turn = streamChatCompletions('Hi', { ...options, transport });
      helpers.expectObservable(turn.pipe(textDeltas(), toArray())).toBe('4ms 2s 36ms (a|)', { a: ['€'] });
      helpers.flush();
      expect(cassettes.at(-1)).toEqual({
        version: 1,
        exchanges: limited.exchanges.map((exchange) => ({
          ...exchange,
          request: { method: 'POST', url: 'http://provider.test/v1/chat/completions' },
        })),
      });
    });
  });

  it('gives the events that were there when it was recorded', () => {
    const turn = turnOf('Hel', 'lo', { usage: { inputTokens: 1 } });
    let cassette: unknown;
    const recorder = recordTransport(
      scriptedTransport({ body: wireOf(turn) }),
      (latest) => void (cassette = JSON.parse(JSON.stringify(latest))),
    );
    const played = (transport: typeof recorder) =>
      record(streamChatCompletions('Hi', { ...options, transport }));
    expect(played(recorder)).toEqual({ events: turn, error: undefined, ended: 1 });
    expect(played(replayTransport(cassette as object))).toEqual({ events: turn, error: undefined, ended: 1 });
  });

  it('waits for demand between reads, and makes up for what it has missed', () => {
    const scheduler = testScheduler();
    const wanted = new Subject<void>();
    const transport = replayTransport(
      cassetteOf({
        response: {
          at: 0,
          status: 200,
          headers,
          body: [
            { at: 1, text: 'a' },
            { at: 2, text: 'b' },
            { at: 30, text: 'c' },
          ],
        },
        end: { type: 'complete', at: 31 },
      }),
      { timing: 'recorded', scheduler },
    );
    const log: string[] = [];
    scheduler.schedule(() => wanted.next(), 10);
    scheduler.schedule(() => wanted.next(), 20);
    scheduler.schedule(() => wanted.next(), 40);
    transport({ ...request, demand: () => wanted })
      .pipe(
        concatMap(({ body }) => body),
        map((bytes) => new TextDecoder().decode(bytes)),
      )
      .subscribe({
        next: (text) => log.push(`${text} ${scheduler.now()}`),
        complete: () => log.push(`complete ${scheduler.now()}`),
      });
    scheduler.flush();
    expect(log).toEqual(['a 1', 'b 10', 'c 30', 'complete 40']);
  });

  it.each<[string, Partial<RecordedExchange>, string]>([
    ['before its headers', {}, '-----'],
    ['inside its body', { response: { at: 1, status: 200, headers, body: [{ at: 2, text: 'a' }] } }, '--a--'],
  ])('falls silent where its reader left, %s', (_, exchange, marbles) => {
    testScheduler().run((helpers) => {
      const cassette = cassetteOf({ ...exchange, end: { type: 'aborted', at: 3 } });
      const transport = replayTransport(cassette, { timing: 'recorded' });
      const body = transport(request).pipe(
        concatMap((response) => response.body),
        map((bytes) => new TextDecoder().decode(bytes)),
      );
      helpers.expectObservable(body, '^ 9s !').toBe(marbles);
      helpers.flush();
      expect(transport.aborted).toBe(1);
    });
  });

  const failed = (error: object, body = false) =>
    replayTransport(
      cassetteOf({
        ...(body && { response: { at: 1, status: 200, headers, body: [] } }),
        end: { type: 'error', at: 2, error: { name: 'Error', ...error } },
      }),
    )(request).pipe(concatMap((response) => response.body));

  it('fails as the request failed, with the platform’s code', () => {
    const refused = failureOf(failed({ code: 'ECONNREFUSED' }));
    expect(refused).toBeInstanceOf(TransportError);
    expect(refused).toMatchObject({
      message: 'Could not reach the provider (ECONNREFUSED). Is it running?',
      retryable: true,
      cause: { code: 'ECONNREFUSED' },
    });
    expect(failureOf(failed({ retryable: false }))).toMatchObject({
      name: 'TransportError',
      retryable: false,
    });
    const timeout = failureOf(failed({ name: 'ResponseTimeoutError', timeout: 7 }));
    expect(timeout).toBeInstanceOf(ResponseTimeoutError);
    expect(timeout).toMatchObject({ timeout: 7 });
  });

  it('breaks as the body broke, with the platform’s code', () => {
    const reset = failureOf(failed({ code: 'ECONNRESET' }, true));
    expect(reset).toBeInstanceOf(StreamError);
    expect(reset).toMatchObject({ name: 'StreamError', message: 'The event stream broke off (ECONNRESET).' });
    const idle = failureOf(failed({ name: 'IdleTimeoutError', timeout: 7 }, true));
    expect(idle).toBeInstanceOf(IdleTimeoutError);
    expect(idle).toMatchObject({ timeout: 7 });
  });

  it('fails at its recorded time', () => {
    testScheduler().run((helpers) => {
      const end = { type: 'error', at: 7, error: { name: 'Error' } } as const;
      const transport = replayTransport(
        cassetteOf({ end }, { end, response: { at: 3, status: 200, headers, body: [] } }),
        { timing: 'recorded' },
      );
      const body = defer(() => transport(request)).pipe(concatMap((response) => response.body));
      helpers.expectObservable(body).toBe('7ms #', {}, new TransportError());
      helpers.expectObservable(body).toBe('7ms #', {}, new StreamError());
    });
  });

  it('fails a request beyond the recording at once: it is not retried', () => {
    expect(failureOf(replayTransport(cassetteOf())(request))).toMatchObject({
      name: 'TransportError',
      retryable: false,
    });
  });

  const good = cassetteOf({
    response: { at: 0, status: 200, headers, body: [{ at: 0, text: 'a' }] },
  });
  const exchange = good.exchanges[0]!;
  const response = exchange.response!;
  const withResponse = (fields: object) => ({
    ...good,
    exchanges: [{ ...exchange, response: { ...response, ...fields } }],
  });
  const withEnd = (end: unknown) => ({ ...good, exchanges: [{ ...exchange, end }] });

  it.each<[object, string]>([
    [[], 'The cassette is not of version 1.'],
    [{ ...good, version: 2 }, 'The cassette is not of version 1.'],
    [{ version: 1 }, 'exchanges must be a list'],
    [{ version: 1, exchanges: [good.exchanges[0], 'private'] }, 'exchanges[1] must be an object'],
    [{ version: 1, exchanges: [{ ...exchange, request: {} }] }, 'exchanges[0].request.url must be a string'],
    [
      { version: 1, exchanges: [{ ...exchange, request: { url: 'x', body: {} } }] },
      'exchanges[0].request.body must be a string',
    ],
    [withResponse({ status: '200' }), 'exchanges[0].response.status must be a number of at least 0'],
    [withResponse({ at: -1 }), 'exchanges[0].response.at must be a number of at least 0'],
    [withResponse({ at: NaN }), 'exchanges[0].response.at must be a number of at least 0'],
    [withResponse({ headers: { date: 1 } }), 'exchanges[0].response.headers.date must be a string'],
    [withResponse({ body: 'private' }), 'exchanges[0].response.body must be a list'],
    [withResponse({ body: [{ at: 0 }] }), 'exchanges[0].response.body[0].base64 must be a string'],
    [withResponse({ body: [{ at: 0, base64: '?' }] }), 'exchanges[0].response.body[0].base64 must be Base64'],
    [withResponse({ body: [{ at: 0, text: 1 }] }), 'exchanges[0].response.body[0].text must be a string'],
    [withEnd(undefined), 'exchanges[0].end must be an object'],
    [withEnd({ at: 0, type: 'private' }), "exchanges[0].end.type must be 'complete', 'aborted' or 'error'"],
    [withEnd({ at: 0, type: 'error' }), 'exchanges[0].end.error must be an object'],
    [withEnd({ at: 0, type: 'error', error: {} }), 'exchanges[0].end.error.name must be a string'],
  ])('throws a TypeError for what is no cassette, naming the place: %#', (cassette, message) => {
    expect(() => replayTransport(cassette)).toThrow(TypeError);
    expect(() => replayTransport(cassette)).toThrow(message);
    expect(() => replayTransport(cassette)).not.toThrow(/private/);
  });
});
