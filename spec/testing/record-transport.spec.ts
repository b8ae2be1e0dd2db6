import { concat, config, EMPTY, Observable, of, Subject, throwError } from 'rxjs';
import {
  type HttpRequest,
  IdleTimeoutError,
  ResponseTimeoutError,
  StreamError,
  streamChatCompletions,
  textDeltas,
  type Transport,
  TransportError,
  userMessage,
} from '../../src/index.js';
import {
  type Cassette,
  doneChunk,
  errorBody,
  marbleTransport,
  recordTransport,
  type RecordTransportOptions,
  type ScriptedAnswer,
  scriptedTransport,
  textChunk,
} from '../../src/testing/index.js';
import { describeTransportContract, tick } from '../request/transport-contract.js';
import { provider } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';
import { inMemory, inMemorySubject } from '../support/in-memory.js';

const request: HttpRequest = {
  url: 'http://provider.test/v1/chat/completions',
  method: 'POST',
  headers: {},
  body: '{}',
};

const stoppedClock = { now: () => 0, schedule: () => EMPTY.subscribe() };

/** A recorder of what the given answers say, in a time that stands still. */
function recorder(
  answers: readonly (ScriptedAnswer | Error)[],
  options: RecordTransportOptions = {},
): { transport: Transport; cassettes: readonly Cassette[] } {
  const cassettes: Cassette[] = [];
  const transport = recordTransport(
    scriptedTransport(...answers),
    (cassette) => cassettes.push(JSON.parse(JSON.stringify(cassette)) as Cassette),
    { scheduler: stoppedClock, ...options },
  );
  return { transport, cassettes };
}

/** Sends a request and reads its answer as it comes. */
function send(transport: Transport, given: Partial<HttpRequest> = {}) {
  return transport({ ...request, ...given }).subscribe({
    next: ({ body }) => body.subscribe({ error: () => undefined }),
    error: () => undefined,
  });
}

/** What is recorded of one answer. */
function recorded(
  answer: ScriptedAnswer | Error,
  given: Partial<HttpRequest> = {},
  options: RecordTransportOptions = {},
) {
  const { transport, cassettes } = recorder([answer], options);
  send(transport, given);
  expect(cassettes).toHaveLength(1);
  expect(cassettes[0]!.exchanges).toHaveLength(1);
  return cassettes[0]!.exchanges[0]!;
}

describeTransportContract('recordTransport around scriptedTransport', () => {
  const lines = [inMemory(), inMemory()];
  const inner = scriptedTransport(...lines.map(({ answer }) => answer));
  const transport = recordTransport(inner, () => undefined);
  return Promise.resolve(inMemorySubject(transport, lines, () => inner.aborted));
});

describe('recordTransport()', () => {
  it('writes a turn with its retries: each request, its answer with its times, and its end', () => {
    testScheduler().run((helpers) => {
      const cassettes: Cassette[] = [];
      const inner = marbleTransport(helpers, [
        {
          response: '--r',
          status: 429,
          headers: { 'Retry-After': '2' },
          body: '-a|',
          frames: { a: errorBody() },
        },
        { response: '5ms r', body: '10ms a 19ms (b|)', frames: { a: textChunk('Hel'), b: doneChunk() } },
      ]);
      const transport = recordTransport(inner, (cassette) => cassettes.push(cassette));
      const turn = streamChatCompletions('Hi', { model: 'm', provider, transport });
      helpers.expectObservable(turn.pipe(textDeltas())).toBe('2ms 2ms 2s 5ms 10ms a 19ms |', { a: 'Hel' });
      helpers.flush();
      const first = {
        request: { method: 'POST', url: 'http://provider.test/v1/chat/completions' },
        response: {
          at: 2,
          status: 429,
          headers: { 'retry-after': '2' },
          body: [{ at: 3, text: errorBody() }],
        },
        end: { type: 'complete', at: 4 },
      };
      const second = {
        request: first.request,
        response: {
          at: 5,
          status: 200,
          headers: { 'content-type': 'text/event-stream' },
          body: [
            { at: 15, text: textChunk('Hel') },
            { at: 35, text: doneChunk() },
          ],
        },
        end: { type: 'complete', at: 35 },
      };
      expect(cassettes).toEqual([
        { version: 1, exchanges: [first] },
        { version: 1, exchanges: [first, second] },
      ]);
    });
  });

  it('writes a turn that its reader left as aborted, wherever it stood', () => {
    testScheduler().run((helpers) => {
      const ends: unknown[] = [];
      const inner = marbleTransport(helpers, [{ response: '-----r' }, { body: '-a-b', frames: {} }]);
      const transport = recordTransport(inner, ({ exchanges }) => ends.push(exchanges.at(-1)));
      const body = new Observable<never>((subscriber) => {
        subscriber.add(transport(request).subscribe((response) => subscriber.add(response.body.subscribe())));
      });
      helpers.expectObservable(body, '^--!').toBe('');
      helpers.expectObservable(body, '--- ^-!').toBe('');
      helpers.flush();
      expect(ends).toMatchObject([
        { end: { type: 'aborted', at: 3 } },
        { response: { at: 0, body: [{ at: 1, text: 'a' }] }, end: { type: 'aborted', at: 2 } },
      ]);
      expect(ends[0]).not.toHaveProperty('response');
    });
  });

  it('writes a body that nobody took as aborted', () => {
    const { transport, cassettes } = recorder([{ status: 503, body: 'unread' }]);
    transport(request).subscribe();
    expect(cassettes).toMatchObject([
      { exchanges: [{ response: { status: 503, body: [] }, end: { type: 'aborted' } }] },
    ]);
  });

  it('puts exchanges that overlap in the order of their requests', () => {
    const [slow, fast] = [new Subject<string>(), new Subject<string>()];
    const { transport, cassettes } = recorder([{ body: slow }, { body: fast }]);
    send(transport, { url: 'http://slow.test' });
    send(transport, { url: 'http://fast.test' });
    fast.complete();
    slow.complete();
    expect(cassettes.map(({ exchanges }) => exchanges.map((exchange) => exchange.request.url))).toEqual([
      ['http://fast.test'],
      ['http://slow.test', 'http://fast.test'],
    ]);
  });

  it.each<[string, unknown, object]>([
    [
      'a platform’s code',
      Object.assign(new Error('private'), { code: 'ECONNREFUSED' }),
      { name: 'Error', code: 'ECONNREFUSED' },
    ],
    [
      'whether it is retried',
      new TransportError({ retryable: false }),
      { name: 'TransportError', retryable: false },
    ],
    ['a limit', new ResponseTimeoutError(7), { name: 'ResponseTimeoutError', timeout: 7 }],
    [
      'its name, where it is one',
      Object.assign(new Error('x'), { name: 'my private words' }),
      { name: 'Error' },
    ],
    ['nothing of what is no error', 'private', { name: 'Error' }],
  ])('keeps of a failed request %s', (_, error, kept) => {
    const exchange = recorded({ after: throwError(() => error) });
    expect(exchange).toEqual({
      request: { method: 'POST', url: request.url },
      end: { type: 'error', at: 0, error: kept },
    });
  });

  it('writes a transport that throws as a failed request', () => {
    const cassettes: Cassette[] = [];
    const thrown = new TypeError('private');
    const transport = recordTransport(
      () => {
        throw thrown;
      },
      (cassette) => cassettes.push(cassette),
    );
    let failure: unknown;
    transport(request).subscribe({ error: (error: unknown) => (failure = error) });
    expect(failure).toBe(thrown);
    expect(cassettes).toMatchObject([
      { exchanges: [{ end: { type: 'error', error: { name: 'TypeError' } } }] },
    ]);
  });

  it('writes a break of the body after what had come', () => {
    const body = concat(
      of('one'),
      throwError(() => new IdleTimeoutError(5)),
    );
    expect(recorded({ body })).toMatchObject({
      response: { body: [{ at: 0, text: 'one' }] },
      end: { type: 'error', error: { name: 'IdleTimeoutError', timeout: 5 } },
    });
  });

  it('writes a read that is no whole text as Base64', () => {
    const euro = new TextEncoder().encode('€');
    expect(recorded({ body: [euro.subarray(0, 1), euro.subarray(1), '\ufeff€'] }).response?.body).toEqual([
      { at: 0, base64: '4g==' },
      { at: 0, base64: 'gqw=' },
      { at: 0, text: '\ufeff€' },
    ]);
  });

  it('keeps the headers of the answer that this library reads, and no other', () => {
    const headers = {
      'Content-Type': 'text/event-stream',
      Date: 'Sun, 06 Nov 1994 08:49:37 GMT',
      'x-request-id': 'req-1',
      'X-RateLimit-Remaining-Tokens': '9',
      'set-cookie': 'session=private',
      'x-organization': 'private',
    };
    expect(recorded({ headers }).response?.headers).toEqual({
      'content-type': 'text/event-stream',
      date: 'Sun, 06 Nov 1994 08:49:37 GMT',
      'x-request-id': 'req-1',
      'x-ratelimit-remaining-tokens': '9',
    });
  });

  describe('keeps to itself', () => {
    const secret = {
      url: 'http://provider.test/v1/chat/completions?api-version=1&api-key=key-of-query',
      headers: { Authorization: 'Bearer key-of-header', 'x-team': 'team-name' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'the private prompt' }] }),
    };
    const repeated = 'key-of-header key-of-query team-name the private prompt';

    it('the request’s headers, query and body', () => {
      expect(recorded({}, secret).request).toEqual({
        method: 'POST',
        url: 'http://provider.test/v1/chat/completions',
      });
    });

    it('what the provider repeats of them: keys, the prompt, and secrets that it is told', () => {
      const exchange = recorded(
        { headers: { 'x-request-id': 'key-of-header' }, body: [repeated.slice(0, 7), repeated.slice(7)] },
        secret,
        { secrets: ['team-name'] },
      );
      expect(exchange.response).toEqual({
        at: 0,
        status: 200,
        headers: { 'x-request-id': '***' },
        body: [
          { at: 0, text: '***' },
          { at: 0, text: ' *** *** ***' },
        ],
      });
    });

    it('keys even where the body is kept', () => {
      const body = JSON.stringify({
        messages: [{ role: 'user', content: 'the private prompt' }],
        user: 'key-of-header',
      });
      const exchange = recorded({ body: repeated }, { ...secret, body }, { keepRequestBody: true });
      expect(exchange.request.body).toBe(body.replace('key-of-header', '***'));
      expect(exchange.response?.body).toEqual([{ at: 0, text: '*** *** team-name the private prompt' }]);
    });

    it('what an answer sets as a cookie, and the name and code of a failure that are a key', () => {
      const headers = {
        'set-cookie': 'sid=cookie-of-answer; Path=/; HttpOnly, b=1; Expires=Wed, 21 Oct 2026',
      };
      expect(recorded({ headers, body: 'cookie-of-answer HttpOnly' }, secret).response?.body).toEqual([
        { at: 0, text: '*** HttpOnly' },
      ]);
      const failure = Object.assign(new Error('x'), { name: 'KEY_OF_HEADER', code: 'KEY_OF_HEADER' });
      const given = { ...secret, headers: { 'api-key': 'KEY_OF_HEADER' } };
      expect(recorded({ after: throwError(() => failure) }, given).end).toMatchObject({
        error: { name: 'Error' },
      });
      expect(JSON.stringify(recorded({ after: throwError(() => failure) }, given))).not.toContain('KEY_OF');
    });

    it('a key that is split over deltas and reads, or encoded', () => {
      const chunks = ['key-of', '-hea', 'der'].map((content) => textChunk(content));
      const text = `${chunks.join('')}data: ${btoa('key-of-header')} key%2Dof%2Dquery\n\n`;
      const body = Array.from({ length: Math.ceil(text.length / 7) }, (_, at) =>
        text.slice(7 * at, 7 * at + 7),
      );
      const reads = recorded({ body }, secret).response?.body ?? [];
      expect(reads).toHaveLength(body.length);
      const whole = reads.map((read) => ('text' in read ? read.text : '')).join('');
      expect(whole).toMatch(/data: \*\*\*[\w=]{0,4} \*\*\*\n\n$/);
      expect(whole.startsWith(['***', '***', '***'].map((content) => textChunk(content)).join(''))).toBe(
        true,
      );
    });

    it('no word that is sent as a key', () => {
      const given = { headers: { Authorization: 'Bearer ollama' } };
      expect(recorded({ body: 'ollama runs' }, given).response?.body).toEqual([
        { at: 0, text: 'ollama runs' },
      ]);
    });

    it('the key and the prompt of a turn, whatever it gives', () => {
      const prompt = { instructions: 'the secret instructions', input: [userMessage('the secret question')] };
      const { transport, cassettes } = recorder([
        { status: 500, body: errorBody({ message: 'sk-the-secret-key' }) },
        { status: 400, body: errorBody({ message: 'bad: the secret question, the secret instructions' }) },
      ]);
      const keyed = { ...provider, apiKey: 'sk-the-secret-key', queryParams: { key: 'the-secret-query' } };
      testScheduler().run(({ expectObservable }) => {
        expectObservable(
          streamChatCompletions(prompt, {
            model: 'm',
            provider: keyed,
            transport,
            retry: { retryable: ({ name }) => name === 'UnexpectedStatusError', maxRetries: 1, jitter: 0 },
          }),
        ).toBe('200ms #', {}, expect.objectContaining({ status: 400 }));
      });
      expect(cassettes.at(-1)?.exchanges).toHaveLength(2);
      expect(JSON.stringify(cassettes)).not.toMatch(/secret/);
    });
  });

  it('passes demand on to the transport inside', () => {
    const wanted = new Subject<void>();
    const { transport, cassettes } = recorder([{ body: ['one', 'two'] }]);
    send(transport, { demand: () => wanted });
    expect(cassettes).toEqual([]);
    wanted.next();
    wanted.next();
    expect(cassettes[0]?.exchanges[0]?.end).toEqual({ type: 'complete', at: 0 });
  });

  it('records the first reader of a body: that it cannot be read twice is no part of the answer', () => {
    const body = new Subject<string>();
    const { transport, cassettes } = recorder([{ body }]);
    let second: unknown;
    transport(request).subscribe((response) => {
      response.body.subscribe();
      response.body.subscribe({ error: (error: unknown) => (second = error) });
    });
    expect(second).toBeInstanceOf(StreamError);
    body.next('one');
    body.complete();
    expect(cassettes).toMatchObject([
      { exchanges: [{ response: { body: [{ text: 'one' }] }, end: { type: 'complete' } }] },
    ]);
  });

  it('gives the sink the cassette before the turn learns of the end', () => {
    const log: string[] = [];
    const transport = recordTransport(scriptedTransport({ body: 'one' }), () => log.push('cassette'));
    transport(request).subscribe(({ body }) => body.subscribe({ complete: () => log.push('complete') }));
    expect(log).toEqual(['cassette', 'complete']);
  });

  it('reports what the sink throws and leaves the turn alone', async () => {
    const full = new Error('disk full');
    const reported: unknown[] = [];
    const { onUnhandledError } = config;
    config.onUnhandledError = (error) => reported.push(error);
    try {
      const log: unknown[] = [];
      const transport = recordTransport(scriptedTransport({ body: 'one' }), () => {
        throw full;
      });
      transport(request).subscribe(({ body }) =>
        body.subscribe({ next: () => log.push('next'), complete: () => log.push('complete') }),
      );
      expect(log).toEqual(['next', 'complete']);
      while (reported.length === 0) await tick();
      expect(reported).toEqual([full]);
    } finally {
      config.onUnhandledError = onUnhandledError;
    }
  });
});
