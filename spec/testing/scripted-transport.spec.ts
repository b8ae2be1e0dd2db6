import { EMPTY, NEVER, Subject, throwError } from 'rxjs';
import { type HttpRequest, streamChatCompletions, TransportError } from '../../src/index.js';
import { scriptedTransport, turnOf, wireOf } from '../../src/testing/index.js';
import { record } from '../conformance/record-events.js';
import { provider } from '../support/events.js';
import { failureOf, testScheduler } from '../support/marbles.js';

const request: HttpRequest = { url: 'http://provider.test', method: 'POST', headers: {}, body: '{}' };

/** Reads an answer's body as it comes, as `concatMap` does. */
function read(transport: ReturnType<typeof scriptedTransport>, given: Partial<HttpRequest> = {}) {
  const log: unknown[] = [];
  const decoder = new TextDecoder();
  transport({ ...request, ...given }).subscribe(({ body }) =>
    body.subscribe({
      next: (bytes) => log.push(decoder.decode(bytes)),
      error: (error: unknown) => log.push(error),
      complete: () => log.push('complete'),
    }),
  );
  return log;
}

describe('scriptedTransport()', () => {
  it('gives one answer for each request in turn, and keeps the requests', () => {
    testScheduler().run(({ expectObservable, flush }) => {
      const transport = scriptedTransport({ status: 503 }, new Error('refused'), {
        body: wireOf(turnOf('Hel', 'lo')),
      });
      const turn = streamChatCompletions('Hi', {
        model: 'm',
        provider,
        transport,
        retry: { initialDelay: 10, factor: 1, jitter: 0 },
      });
      const [a, b, c] = turnOf('Hel', 'lo');
      expectObservable(turn).toBe('20ms (abc|)', { a, b, c });
      flush();
      expect(transport.requests.map(({ url }) => url)).toEqual(
        Array(3).fill('http://provider.test/v1/chat/completions'),
      );
      // The body of the 503, which nobody reads.
      expect(transport.aborted).toBe(1);
    });
  });

  it('gives headers by their names in any case, an event stream where none are given', () => {
    const seen: unknown[] = [];
    const transport = scriptedTransport({ headers: { 'Retry-After': '2' } }, {});
    for (const name of ['retry-after', 'Content-Type'])
      transport(request).subscribe(({ headers }) => seen.push(headers.get(name), headers.get('x-none')));
    expect(seen).toEqual(['2', null, 'text/event-stream', null]);
  });

  it('fails a request beyond the script at once: it is not retried', () => {
    const transport = scriptedTransport();
    const { error } = record(streamChatCompletions('Hi', { model: 'm', provider, transport }));
    expect(error).toBeInstanceOf(TransportError);
    expect(error).toMatchObject({
      retryable: false,
      message: 'scriptedTransport has 0 responses; request 1 has none.',
    });
    expect(transport.requests).toHaveLength(1);
    expect(transport.aborted).toBe(0);
  });

  it('answers at the first value of `after`', () => {
    const after = new Subject<void>();
    const transport = scriptedTransport({ after, body: 'one' });
    const log = read(transport);
    expect(log).toEqual([]);
    after.next();
    expect(log).toEqual(['one', 'complete']);
    expect(after.observed).toBe(false);
    expect(transport.aborted).toBe(0);
  });

  it('counts a request that is unsubscribed before its answer as aborted', () => {
    const transport = scriptedTransport({ after: NEVER });
    transport(request).subscribe().unsubscribe();
    expect(transport.aborted).toBe(1);
  });

  it('fails where `after` fails, which is no abort', () => {
    const refused = new Error('refused');
    const transport = scriptedTransport({ after: throwError(() => refused) });
    expect(failureOf(transport(request))).toBe(refused);
    expect(transport.aborted).toBe(0);
  });

  it('fails where `after` completes without a value: a turn over it would wait for ever', () => {
    const transport = scriptedTransport({ after: EMPTY });
    expect(failureOf(transport(request))).toMatchObject({
      name: 'TransportError',
      retryable: false,
      message: '`after` completed without a value.',
    });
    expect(transport.aborted).toBe(0);
  });

  it('makes one read at a time, the next when demand has a value, the end included', () => {
    const wanted = new Subject<void>();
    const transport = scriptedTransport({ body: ['one', 'two'] });
    const log = read(transport, { demand: () => wanted });
    expect(log).toEqual(['one']);
    wanted.next();
    expect(log).toEqual(['one', 'two']);
    wanted.next();
    expect(log).toEqual(['one', 'two', 'complete']);
    expect(transport.aborted).toBe(0);
  });

  it('breaks the body and aborts where demand ends without a value', () => {
    const transport = scriptedTransport({ body: ['one', 'two'] });
    expect(read(transport, { demand: () => EMPTY })).toEqual([
      'one',
      expect.objectContaining({ name: 'EmptyError' }),
    ]);
    expect(transport.aborted).toBe(1);
  });
});
