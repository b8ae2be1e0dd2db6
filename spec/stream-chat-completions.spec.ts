import { first, NEVER, Observable, of, take, throwError, VirtualTimeScheduler } from 'rxjs';
import type { RunHelpers } from 'rxjs/testing';
import {
  builtInProviders,
  type ChatOptions,
  type Diagnostic,
  IdleTimeoutError,
  MissingApiKeyError,
  ResponseTimeoutError,
  RetryLimitError,
  StreamError,
  streamChatCompletions,
  TransportError,
  UnexpectedStatusError,
  userMessage,
} from '../src/index.js';
import { type MarbleAnswer, marbleTransport, scriptedTransport } from '../src/testing/index.js';
import { completed, provider, text } from './support/events.js';
import { received, testScheduler } from './support/marbles.js';
import { chunk, done, finishChunk, textChunk } from './support/wire.js';
import { attempts } from './support/attempts.js';

const frames = {
  a: textChunk('Hel'),
  b: textChunk('lo'),
  f: finishChunk(),
  D: done,
  c: ': keep-alive\n\n',
  h: textChunk('cut in half').slice(0, 20),
};
const events = {
  a: text('Hel'),
  b: text('lo'),
  C: completed({ finishReason: 'stop' }),
  F: completed({ finishReason: 'stop', endedBy: 'finish_reason' }),
  N: completed(),
  E: completed({ endedBy: 'eof' }),
};

/** A turn over drawn answers, with exact backoff. */
function drawn(helpers: RunHelpers, answers: readonly MarbleAnswer[], options: Partial<ChatOptions> = {}) {
  const transport = marbleTransport(
    helpers,
    answers.map((answer) => ({ frames, ...answer })),
  );
  const turn = streamChatCompletions('Hi', {
    model: 'm',
    provider,
    transport,
    ...options,
    retry: { jitter: 0, ...options.retry },
  });
  return { turn, transport };
}

const unanswered = 'No response from "test" at http://provider.test. Check the base URL and the network.';

describe('streamChatCompletions', () => {
  it('sends the request, streams its events and completes at [DONE]', () => {
    testScheduler().run((helpers) => {
      const { turn, transport } = drawn(helpers, [{ response: '--r', body: '-a-b-f-D|' }]);
      helpers.expectObservable(turn).toBe('---a-b---(C|)', events);
      helpers.expectSubscriptions(transport.connections[0]!.response.subscriptions).toBe('^-!');
      helpers.expectSubscriptions(transport.connections[0]!.body.subscriptions).toBe('--^-------!');
    });
  });

  it('is cold: every subscription is a turn of its own', () => {
    testScheduler().run((helpers) => {
      const { turn, transport } = drawn(helpers, [{ body: '-a-D|' }, { body: '-b-D|' }]);
      helpers.expectObservable(turn).toBe('-a-(N|)', events);
      helpers.expectObservable(turn, '-----^').toBe('------b-(N|)', events);
      helpers.flush();
      expect(transport.requests).toHaveLength(2);
    });
  });

  it('completes where the stream ends without [DONE], with the finish reason it had (C11)', () => {
    testScheduler().run((helpers) => {
      const { turn } = drawn(helpers, [{ body: '-a-|' }, { body: '-a-f-|' }]);
      helpers.expectObservable(turn).toBe('-a-(E|)', events);
      helpers.expectObservable(turn, '----------^').toBe('-----------a---(F|)', events);
    });
  });

  it('drops an event that the end of the stream has cut', () => {
    testScheduler().run((helpers) => {
      const { turn } = drawn(helpers, [{ body: '-a-h-|' }]);
      helpers.expectObservable(turn).toBe('-a---(E|)', events);
    });
  });

  describe('the end without [DONE]', () => {
    it('is the finish reason, 10 s after it where nothing more comes', () => {
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, [{ body: '-a-f' }]);
        helpers.expectObservable(turn).toBe('-a- 10s (F|)', events);
        helpers.expectSubscriptions(transport.connections[0]!.body.subscriptions).toBe('^-- 10s !');
      });
    });

    it.each<[string, Partial<ChatOptions>]>([
      ['finishTimeout', { finishTimeout: 6 }],
      ['idleTimeout, which is shorter', { idleTimeout: 6 }],
      [
        'idleTimeout, which is shorter, although bytes are a sign of life',
        { idleTimeout: 6, idleOn: 'bytes' },
      ],
      ['finishTimeout where there is no idleTimeout', { finishTimeout: 6, idleTimeout: Infinity }],
    ])('comes after %s, and comments do not put it off', (_, options) => {
      testScheduler().run((helpers) => {
        const { turn } = drawn(
          helpers,
          [{ body: '-a-f--k--k--k--k', frames: { ...frames, k: ': ping\n\n' } }],
          options,
        );
        helpers.expectObservable(turn).toBe('-a-------(F|)', events);
      });
    });

    it('is a break after the finish reason, of which the diagnostics tell', () => {
      const told: Diagnostic[] = [];
      testScheduler().run((helpers) => {
        const { turn } = drawn(helpers, [{ body: '-a-f-#' }], {
          diagnostics: (diagnostic) => told.push(diagnostic),
        });
        helpers.expectObservable(turn).toBe('-a---(F|)', events);
      });
      expect(told.slice(-2)).toMatchObject([
        { type: 'break', error: 'StreamError' },
        { type: 'end', outcome: 'completed', error: undefined },
      ]);
    });

    it('counts an event that no blank line has ended, where it is whole', () => {
      const body = [textChunk('Hel').trimEnd()];
      const transport = scriptedTransport({ body });
      const turn = streamChatCompletions('Hi', { model: 'm', provider, transport });
      expect(received(turn)).toEqual([events.a, events.E]);
    });
  });

  it('takes the only choice for choice 0 where one was asked for, whatever its number', () => {
    const body = ['data: {"choices":[{"index":1,"delta":{"content":"Hel"}}]}\n\n', done];
    const turnOf = (params?: ChatOptions['params']) =>
      received(
        streamChatCompletions('Hi', {
          model: 'm',
          provider,
          params,
          transport: scriptedTransport({ body }),
        }),
      )[0];
    expect(turnOf()).toEqual(events.a);
    expect(turnOf({ n: 1 })).toEqual(events.a);
    expect(turnOf({ n: null })).toEqual(events.a);
    expect(turnOf({ n: 2 })).toEqual({ ...events.a, choice: 1 });
  });

  describe('the end', () => {
    it('leaves the connection up to 1,000 ms to end by itself after [DONE]', () => {
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, [{ body: '-a-D-----|' }, { body: '-a-D' }]);
        helpers.expectObservable(turn).toBe('-a-(N|)', events);
        helpers.expectObservable(turn, '-----^').toBe('------a-(N|)', events);
        helpers.expectSubscriptions(transport.connections[0]!.body.subscriptions).toBe('^--------!');
        helpers.expectSubscriptions(transport.connections[1]!.body.subscriptions).toBe('-----^-- 999ms - !');
        helpers.flush();
        expect(transport.aborted).toBe(1);
      });
    });

    it('leaves it that to a consumer that unsubscribes because of completed', () => {
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, [{ body: '-a-D-----|' }]);
        const end = turn.pipe(first(({ type }) => type === 'completed'));
        helpers.expectObservable(end).toBe('---(N|)', events);
        helpers.expectSubscriptions(transport.connections[0]!.body.subscriptions).toBe('^--------!');
      });
    });

    it('aborts at once where the consumer leaves before it', () => {
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, [{ body: '-a-b-D-----|' }]);
        helpers.expectObservable(turn, '^---!').toBe('-a-b', events);
        helpers.expectSubscriptions(transport.connections[0]!.body.subscriptions).toBe('^---!');
      });
    });

    it('delivers nothing that follows [DONE]', () => {
      testScheduler().run((helpers) => {
        const { turn } = drawn(helpers, [{ body: '-a-D-b-D-#' }]);
        helpers.expectObservable(turn).toBe('-a-(N|)', events);
      });
    });
  });

  describe('unsubscribing', () => {
    it('aborts while the headers are waited for', () => {
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, [{ response: '-----r' }]);
        helpers.expectObservable(turn, '^--!').toBe('---');
        helpers.expectSubscriptions(transport.connections[0]!.response.subscriptions).toBe('^--!');
        helpers.flush();
        expect(transport.aborted).toBe(1);
      });
    });

    it('ends a backoff: no request follows', () => {
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, [{ status: 503 }, { body: 'D' }]);
        helpers.expectObservable(turn, '^ 100ms !').toBe('');
        helpers.flush();
        expect(transport.requests).toHaveLength(1);
      });
    });

    it('aborts in the middle of the body', () => {
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, [{ body: '-a-b-a-b' }]);
        helpers.expectObservable(turn, '^---!').toBe('-a-b', events);
        helpers.expectSubscriptions(transport.connections[0]!.body.subscriptions).toBe('^---!');
      });
    });

    it('aborts while an error answer is read', () => {
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, [{ status: 400, body: '-x-x-x' }]);
        helpers.expectObservable(turn, '^--!').toBe('');
        helpers.expectSubscriptions(transport.connections[0]!.body.subscriptions).toBe('^--!');
      });
    });

    it('cancels the apiKey function’s Observable', () => {
      testScheduler().run((helpers) => {
        const keys = helpers.cold('-----k');
        const { turn, transport } = drawn(helpers, [], { provider: { ...provider, apiKey: () => keys } });
        helpers.expectObservable(turn, '^--!').toBe('');
        helpers.expectSubscriptions(keys.subscriptions).toBe('^--!');
        helpers.flush();
        expect(transport.requests).toHaveLength(0);
      });
    });
  });

  describe('retry', () => {
    it('waits 200 ms, doubled with each attempt, and sends five requests at most (C7, C8)', () => {
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, Array(5).fill({ status: 503, body: '|' }));
        const error = new RetryLimitError({ status: 503 }, attempts(5));
        helpers.expectObservable(turn).toBe('200ms 400ms 800ms 1600ms #', undefined, error);
        const sent = [0, 200, 600, 1_400, 3_000];
        sent.forEach((time, index) => {
          helpers
            .expectSubscriptions(transport.connections[index]!.response.subscriptions)
            .toBe(`${time}ms (^!)`);
        });
      });
    });

    it('takes Retry-After in place of the backoff, and streams what then comes', () => {
      testScheduler().run((helpers) => {
        const limited = { response: '-r', status: 429, headers: { 'retry-after': '2' }, body: '|' };
        const { turn, transport } = drawn(helpers, [limited, { response: '-r', body: '-a-D|' }]);
        helpers.expectObservable(turn).toBe('- 2s --a-(N|)', events);
        helpers.expectSubscriptions(transport.connections[1]!.response.subscriptions).toBe('- 2s ^!');
      });
    });

    it('takes the wait in the body of a 429 in place of the backoff, once the body is read', () => {
      testScheduler().run((helpers) => {
        const frames = {
          x: '{"error":{"message":"Please try again in 1.2s."}}',
          a: textChunk('Hel'),
          D: done,
        };
        const limited = { response: '-r', status: 429, body: '-(x|)', frames };
        const { turn, transport } = drawn(helpers, [limited, { body: 'a-D|', frames }]);
        helpers.expectObservable(turn).toBe('-- 1200ms a-(N|)', events);
        helpers.expectSubscriptions(transport.connections[1]!.response.subscriptions).toBe('-- 1200ms (^!)');
      });
    });

    it('takes the reset of a rate limit where a 429 asks for no wait', () => {
      testScheduler().run((helpers) => {
        const headers = { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '6m0s' };
        const limited = { status: 429, headers, body: '|' };
        const { turn } = drawn(helpers, [limited, { body: 'a-D|' }], { retry: { maxRetryAfter: 400_000 } });
        helpers.expectObservable(turn).toBe('6m a-(N|)', events);
      });
    });

    it('fails at once where a quota of the day is spent, whatever wait its body names', () => {
      testScheduler().run((helpers) => {
        const body = '{"error":{"details":[{"quotaId":"RequestsPerDay"},{"retryDelay":"5s"}]}}';
        const { turn, transport } = drawn(helpers, [{ status: 429, body: '-(x|)', frames: { x: body } }]);
        helpers
          .expectObservable(turn)
          .toBe('-#', undefined, new UnexpectedStatusError({ status: 429, retryAfter: 5_000, body }));
        helpers.flush();
        expect(transport.connections).toHaveLength(1);
      });
    });

    it.each([408, 409, 425])('does not retry %i (C6)', (status) => {
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, [{ status, body: '|' }]);
        helpers.expectObservable(turn).toBe('#', undefined, new UnexpectedStatusError({ status }));
        helpers.flush();
        expect(transport.connections).toHaveLength(1);
      });
    });

    it('fails at once where Retry-After is longer than maxRetryAfter', () => {
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, [
          { status: 503, headers: { 'retry-after': '61' }, body: '--x|', frames: { x: 'too busy' } },
        ]);
        helpers
          .expectObservable(turn)
          .toBe(
            '---#',
            undefined,
            new RetryLimitError({ status: 503, retryAfter: 61_000, body: 'too busy' }, attempts(1), 60_000),
          );
        helpers.flush();
        expect(transport.requests).toHaveLength(1);
      });
    });

    it.each([
      [0, '#'],
      [1, '200ms #'],
    ])('with maxRetries %i gives up on statuses with a RetryLimitError', (maxRetries, marbles) => {
      testScheduler().run((helpers) => {
        const { turn } = drawn(helpers, Array(2).fill({ status: 500, body: '|' }), { retry: { maxRetries } });
        helpers
          .expectObservable(turn)
          .toBe(marbles, undefined, new RetryLimitError({ status: 500 }, attempts(maxRetries + 1)));
      });
    });

    it.each([
      [0, '-#'],
      [1, '- 200ms -#'],
    ])('with maxRetries %i gives up on transport failures with that failure', (maxRetries, marbles) => {
      testScheduler().run((helpers) => {
        const cause = new Error('reset');
        const { turn } = drawn(helpers, Array(2).fill({ response: '-#', error: cause }), {
          retry: { maxRetries },
        });
        helpers
          .expectObservable(turn)
          .toBe(marbles, undefined, new TransportError({ message: unanswered, cause }));
      });
    });

    it('never follows an answer that has begun (C10)', () => {
      testScheduler().run((helpers) => {
        const cause = new Error('reset');
        const { turn, transport } = drawn(helpers, [{ body: '-a-#', error: cause }, { body: 'bD|' }]);
        helpers.expectObservable(turn).toBe('-a-#', events, new StreamError({ cause }));
        helpers.flush();
        expect(transport.requests).toHaveLength(1);
      });
    });

    it('does not wait for a spent quota', () => {
      testScheduler().run((helpers) => {
        const body = JSON.stringify({ error: { message: 'spent', code: 'insufficient_quota' } });
        const { turn } = drawn(helpers, [{ status: 429, body: '-(x|)', frames: { x: body } }]);
        helpers
          .expectObservable(turn)
          .toBe(
            '-#',
            undefined,
            new UnexpectedStatusError({ status: 429, code: 'insufficient_quota', body }),
          );
      });
    });

    it('cancels the body of an answer that is retried, unread', () => {
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, [{ status: 503, body: '--x--x' }, { body: 'D|' }]);
        helpers.expectObservable(turn).toBe('200ms (N|)', events);
        helpers.expectSubscriptions(transport.connections[0]!.body.subscriptions).toBe([]);
        helpers.flush();
        expect(transport.aborted).toBe(1);
      });
    });

    it('asks an apiKey function anew for each attempt', () => {
      const keys = ['first', 'second'];
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, [{ status: 503 }, { body: 'D|' }], {
          provider: { ...provider, apiKey: () => of(keys.shift() ?? '') },
        });
        helpers.expectObservable(turn).toBe('200ms (N|)', events);
        helpers.flush();
        expect(transport.requests.map(({ headers }) => headers['Authorization'])).toEqual([
          'Bearer first',
          'Bearer second',
        ]);
      });
    });

    it('passes the error of an apiKey function unchanged, and sends nothing', () => {
      const vault = { reason: 'the vault is closed' };
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, [], {
          provider: { ...provider, apiKey: () => throwError(() => vault) },
        });
        helpers.expectObservable(turn).toBe('#', undefined, vault);
        helpers.flush();
        expect(transport.requests).toHaveLength(0);
      });
    });

    it('gives an apiKey function apiKeyTimeout, and does not ask again', () => {
      testScheduler().run((helpers) => {
        const keys = helpers.cold('--');
        const apiKey = jest.fn(() => keys);
        const { turn, transport } = drawn(helpers, [], {
          provider: { ...provider, apiKey, apiKeyTimeout: 5 },
        });
        const error = new MissingApiKeyError(provider.name, undefined, undefined, 5);
        helpers.expectObservable(turn).toBe('              -----#', undefined, error);
        helpers.expectSubscriptions(keys.subscriptions).toBe('^----!');
        helpers.flush();
        expect(apiKey).toHaveBeenCalledTimes(1);
        expect(transport.requests).toEqual([]);
      });
    });

    it('does not retry an apiKey function that fails with an error of this library', () => {
      const asked: number[] = [];
      const failure = new TransportError({ message: 'the key server is gone' });
      testScheduler().run((helpers) => {
        const apiKey = () => {
          asked.push(1);
          return throwError(() => failure);
        };
        const { turn } = drawn(helpers, [], { provider: { ...provider, apiKey } });
        helpers.expectObservable(turn).toBe('#', undefined, failure);
        helpers.flush();
        expect(asked).toHaveLength(1);
      });
    });

    it('leaves the classification to retry.retryable, which sees the body', () => {
      testScheduler().run((helpers) => {
        const seen: unknown[] = [];
        const { turn } = drawn(
          helpers,
          [
            { status: 409, body: '-(x|)', frames: { x: 'busy' } },
            { status: 503, body: '-(x|)', frames: { x: 'down' } },
          ],
          {
            retry: {
              retryable: (failure) => {
                seen.push(failure instanceof UnexpectedStatusError && failure.body);
                return failure instanceof UnexpectedStatusError && failure.status === 409;
              },
            },
          },
        );
        helpers
          .expectObservable(turn)
          .toBe(
            '- 200ms -#',
            undefined,
            new UnexpectedStatusError({ status: 503, retryable: true, body: 'down' }),
          );
        helpers.flush();
        expect(seen).toEqual(['busy', 'down']);
      });
    });

    it('shows itself in the stream with includeRetries', () => {
      testScheduler().run((helpers) => {
        const { turn } = drawn(
          helpers,
          [{ status: 503 }, { response: '-#', error: 'reset' }, { body: 'a-D|' }],
          {
            includeRetries: true,
          },
        );
        const r = {
          type: 'retrying',
          attempt: 1,
          delay: 200,
          error: new UnexpectedStatusError({ status: 503, retryable: true }),
        };
        const s = {
          type: 'retrying',
          attempt: 2,
          delay: 400,
          error: new TransportError({ message: unanswered, cause: 'reset' }),
        };
        helpers.expectObservable(turn).toBe('r 199ms -s 399ms a-(N|)', { ...events, r, s });
      });
    });
  });

  describe('limits in time', () => {
    it('lets five minutes pass without an event, not more, and aborts (C9)', () => {
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, [{ response: '-r', body: '299999ms a' }]);
        helpers.expectObservable(turn).toBe('300000ms a 299999ms #', events, new IdleTimeoutError(300_000));
        helpers.expectSubscriptions(transport.connections[0]!.body.subscriptions).toBe('-^ 599998ms !');
      });
    });

    it('does not count comments as life, unless idleOn says bytes', () => {
      testScheduler().run((helpers) => {
        const answer = { body: '-c--c--c--a-D|' };
        const { turn } = drawn(helpers, [answer, answer], { idleTimeout: 5 });
        helpers.expectObservable(turn).toBe('-----#', events, new IdleTimeoutError(5));
        const bytes = drawn(helpers, [answer], { idleTimeout: 5, idleOn: 'bytes' });
        helpers.expectObservable(bytes.turn).toBe('----------a-(N|)', events);
      });
    });

    it('takes the provider’s limit where the options have none', () => {
      testScheduler().run((helpers) => {
        const { turn } = drawn(helpers, [{ body: '-a' }], { provider: { ...provider, idleTimeout: 7 } });
        helpers.expectObservable(turn).toBe('-a------#', events, new IdleTimeoutError(7));
      });
    });

    it.each([Infinity, 3e9])('with an idleTimeout of %d does not fire early', (idleTimeout) => {
      testScheduler().run((helpers) => {
        const { turn } = drawn(helpers, [{ body: '-a 28800m b' }], { idleTimeout });
        helpers.expectObservable(turn, '^ 30000m !').toBe('-a 28800m b', events);
      });
    });

    it('fails where no headers come within responseTimeout, aborts, and does not retry', () => {
      testScheduler().run((helpers) => {
        const { turn, transport } = drawn(helpers, [{ response: '-----------r' }], { responseTimeout: 8 });
        helpers.expectObservable(turn).toBe('--------#', undefined, new ResponseTimeoutError(8));
        helpers.expectSubscriptions(transport.connections[0]!.response.subscriptions).toBe('^-------!');
        helpers.flush();
        expect(transport.requests).toHaveLength(1);
      });
    });

    it('does not count the body against responseTimeout', () => {
      testScheduler().run((helpers) => {
        const { turn } = drawn(helpers, [{ response: '---r', body: '----------a-D|' }], {
          responseTimeout: 8,
        });
        helpers.expectObservable(turn).toBe('-------------a-(N|)', events);
      });
    });

    it('keeps every timer on options.scheduler', () => {
      const scheduler = new VirtualTimeScheduler();
      const outcomes: unknown[] = [];
      const transport = scriptedTransport({ status: 503 }, { body: NEVER });
      streamChatCompletions('Hi', { model: 'm', provider, transport, scheduler }).subscribe({
        error: (error: unknown) => outcomes.push(error),
      });
      scheduler.flush();
      expect(outcomes).toEqual([new IdleTimeoutError(300_000)]);
      expect(transport.requests).toHaveLength(2);
    });
  });

  describe('what is asked', () => {
    it('is one message of the user where the prompt is a string', () => {
      const transport = scriptedTransport({ body: done });
      streamChatCompletions('Hi', {
        model: 'm',
        provider,
        transport,
        params: { temperature: 0 },
      }).subscribe();
      expect(transport.requests).toEqual([
        {
          url: 'http://provider.test/v1/chat/completions',
          method: 'POST',
          headers: {
            Accept: 'text/event-stream',
            'Content-Type': 'application/json',
            Authorization: 'Bearer sk-test',
          },
          body: '{"temperature":0,"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true}',
        },
      ]);
    });

    it('is written without what the provider does not support', () => {
      const transport = scriptedTransport({ body: done });
      const { unsupported } = builtInProviders.mistral;
      streamChatCompletions(
        { input: [{ role: 'developer', content: 'Be brief.' }, userMessage('Hi')] },
        {
          model: 'm',
          provider: { ...provider, ...(unsupported && { unsupported }) },
          transport,
          includeUsage: true,
          params: { max_completion_tokens: 7 },
        },
      ).subscribe();
      expect(JSON.parse(transport.requests[0]?.body ?? '')).toEqual({
        max_tokens: 7,
        model: 'm',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hi' },
        ],
        stream: true,
      });
    });

    it('is refused synchronously where an argument is of the wrong type', () => {
      expect(() => streamChatCompletions('Hi', { model: '', provider })).toThrow(TypeError);
      expect(() => streamChatCompletions({} as never, { model: 'm', provider })).toThrow(TypeError);
      const misplaced = { model: 'm', provider, temperature: 0 };
      expect(() => streamChatCompletions('Hi', misplaced)).toThrow(TypeError);
      expect(() =>
        streamChatCompletions('Hi', { model: 'm', provider, params: { stream: false } as never }),
      ).toThrow('params.stream is set by the turn and cannot be overridden.');
    });
  });

  it("emits what is new of a provider's snapshots (deltas: 'cumulative')", () => {
    testScheduler().run((helpers) => {
      const all = { x: textChunk('Hel'), y: textChunk('Hello') };
      const { turn } = drawn(helpers, [{ body: '-x-y-f-D|', frames: { ...frames, ...all } }], {
        provider: { ...provider, deltas: 'cumulative' },
      });
      helpers.expectObservable(turn).toBe('-a-b---(C|)', events);
    });
  });

  it('gives a call at [DONE], once, and only what diagnostics tell of one without a name', () => {
    const told: Diagnostic[] = [];
    testScheduler().run((helpers) => {
      const call = (index: number, name: object) =>
        chunk({
          choices: [
            {
              delta: { tool_calls: [{ index, id: `c${index}`, function: { ...name, arguments: '{}' } }] },
              finish_reason: 'tool_calls',
            },
          ],
        });
      const { turn } = drawn(
        helpers,
        [{ body: '-x-y-D|', frames: { ...frames, x: call(0, { name: 'f' }), y: call(1, {}) } }],
        { diagnostics: (diagnostic) => told.push(diagnostic) },
      );
      helpers.expectObservable(turn).toBe('-p---(cC|)', {
        p: { type: 'function_call_arguments_delta', callId: 'c0', name: 'f', index: 0, delta: '{}' },
        c: {
          type: 'output_item_done',
          item: { type: 'function_call', call_id: 'c0', name: 'f', arguments: '{}' },
        },
        C: completed({ finishReason: 'tool_calls' }),
      });
    });
    expect(told.filter(({ type }) => type === 'nameless-call')).toEqual([
      { type: 'nameless-call', length: 2, turn: 1, attempt: 1 },
    ]);
  });

  describe('diagnostics', () => {
    it('tell of the start, requests, answers, retries, malformed data, the first content and the end', () => {
      const told: Diagnostic[] = [];
      const transport = scriptedTransport(
        { status: 503, headers: { 'Retry-After': '0', 'x-request-id': 'req_1' } },
        { body: [': hello\n\n', 'data: {oops\n\n', textChunk('Hi'), done] },
      );
      const scheduler = testScheduler();
      const options: ChatOptions = {
        model: 'm',
        provider: { ...provider, queryParams: { key: 'secret' } },
        transport,
        scheduler,
        diagnostics: (diagnostic) => {
          told.push(diagnostic);
          throw new Error('a listener that fails touches nothing');
        },
      };
      streamChatCompletions('Hi', options).subscribe();
      scheduler.flush();
      const url = 'http://provider.test/v1/chat/completions';
      const bodyLength = transport.requests[0]!.body.length;
      const error = new UnexpectedStatusError({
        status: 503,
        requestId: 'req_1',
        retryAfter: 0,
        retryable: true,
      });
      const end = { error: undefined, events: 2, comments: 1, malformed: 1 };
      expect(told).toEqual([
        { type: 'start', turn: 1, attempt: 0 },
        { type: 'request', url, bodyLength, turn: 1, attempt: 1 },
        {
          type: 'response',
          status: 503,
          requestId: 'req_1',
          rateLimits: { 'retry-after': '0' },
          turn: 1,
          attempt: 1,
        },
        { type: 'retry', delay: 0, error, turn: 1, attempt: 1 },
        { type: 'request', url, bodyLength, turn: 1, attempt: 2 },
        { type: 'response', status: 200, requestId: undefined, rateLimits: {}, turn: 1, attempt: 2 },
        { type: 'malformed', length: 5, position: 0, turn: 1, attempt: 2 },
        { type: 'content', turn: 1, attempt: 2 },
        { type: 'end', outcome: 'completed', ...end, finishReasons: [null], turn: 1, attempt: 2 },
      ]);
    });

    it.each([
      ['error', { body: throwError(() => new Error('reset')) }, 'StreamError'],
      ['unsubscribed', { body: NEVER }, undefined],
    ] as const)('tell that a turn ended as %s', (outcome, answer, error) => {
      const told: Diagnostic[] = [];
      const transport = scriptedTransport(answer);
      streamChatCompletions('Hi', {
        model: 'm',
        provider,
        transport,
        diagnostics: (diagnostic) => told.push(diagnostic),
      })
        .subscribe({ error: () => undefined })
        .unsubscribe();
      expect(told.at(-1)).toMatchObject({ type: 'end', outcome, error });
    });
  });

  it('gives a transport’s own exceptions as TransportErrors', () => {
    testScheduler().run((helpers) => {
      const cause = new Error('not today');
      const turn = streamChatCompletions('Hi', {
        model: 'm',
        provider,
        retry: { maxRetries: 0 },
        transport: () => {
          throw cause;
        },
      });
      helpers.expectObservable(turn).toBe('#', undefined, new TransportError({ message: unanswered, cause }));
    });
  });

  it('stops a source that emits synchronously as soon as the consumer has enough', () => {
    let produced = 0;
    const endless = new Observable<string>((subscriber) => {
      while (!subscriber.closed) {
        produced += 1;
        subscriber.next(textChunk('x'));
      }
    });
    const seen: unknown[] = [];
    const turn = streamChatCompletions('Hi', {
      model: 'm',
      provider,
      transport: scriptedTransport({ body: endless }),
    });
    turn.pipe(take(1)).subscribe((event) => seen.push(event));
    expect(seen).toEqual([text('x')]);
    expect(produced).toBeLessThan(10);
  });
});
