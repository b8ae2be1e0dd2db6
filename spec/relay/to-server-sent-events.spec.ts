import { map, NEVER, of, range, take, throwError, VirtualTimeScheduler } from 'rxjs';
import {
  MissingApiKeyError,
  ProviderStreamError,
  RetryLimitError,
  TransportError,
  UnexpectedContentError,
  UnexpectedStatusError,
} from '../../src/turn/errors.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { RemoteTurnError } from '../../src/relay/from-server-sent-events.js';
import { IncompleteStreamError } from '../../src/operators/require-finish.js';
import type { ServerSentEventsOptions } from '../../src/relay/server-sent-protocol.js';
import { toServerSentEvents } from '../../src/relay/to-server-sent-events.js';
import { emptyTurn } from '../../src/turn/turn.js';
import { completed, text } from '../support/events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

const values = { a: text('Hel'), b: text('lo\n\n'), c: completed({ finishReason: 'stop' }) };

const failed = new RetryLimitError({ status: 429, code: 'rate_limit_exceeded', retryAfter: 70_000 }, 5);
const written = {
  a: 'data: {"type":"output_item_done","item":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hel"}]}}\n\n',
  b: 'data: {"type":"output_item_done","item":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"lo\\n\\n"}]}}\n\n',
  c: 'data: {"type":"completed","responseId":"","finishReason":"stop","usage":null}\n\n',
  D: 'data: [DONE]\n\n',
  E: 'event: error\ndata: {"type":"error","error":{"name":"RetryLimitError","status":429,"code":"rate_limit_exceeded","retryAfter":70000}}\n\n',
  p: ': ping\n\n',
};

/** What a front end is told of an error. */
function told(error: unknown, options: ServerSentEventsOptions = {}): unknown {
  const [message = ''] = received(throwError(() => error).pipe(toServerSentEvents(options)));
  const [, data] = /^event: error\ndata: (.*)\n\n$/.exec(message) ?? [];
  return JSON.parse(data ?? 'null');
}

describe('toServerSentEvents', () => {
  it('writes each event as one message, and the end mark after the last', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-(c|)', values);
      expectObservable(source.pipe(toServerSentEvents())).toBe('-a-b-(cD|)', written);
      expectSubscriptions(source.subscriptions).toBe('         ^----!');
    });
  });

  it('writes the end mark once the source has ended, after several turns too', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-a-c-b-c--|', values);
      expectObservable(source.pipe(toServerSentEvents())).toBe('-a-c-b-c--(D|)', written);
      expectObservable(cold<ResponseEvent>('-|').pipe(toServerSentEvents())).toBe('-(D|)', written);
    });
  });

  it('writes an error as a message in place of the end mark, and completes', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-#', values, failed);
      expectObservable(source.pipe(toServerSentEvents())).toBe('-a-(E|)', written);
      expectSubscriptions(source.subscriptions).toBe('         ^--!');
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b', values);
      expectObservable(source.pipe(toServerSentEvents()), '^-!').toBe('-a-', written);
      expectSubscriptions(source.subscriptions).toBe('                ^-!');
    });
  });

  it('stops an endless synchronous source', () => {
    const deltas = range(0, Infinity).pipe(map(() => values.a));
    expect(received(deltas.pipe(toServerSentEvents(), take(2)))).toEqual([written.a, written.a]);
  });

  it('writes a stopped turn as it is', () => {
    const [message] = received(of(completed({ stopped: true })).pipe(toServerSentEvents()));
    expect(message).toBe(
      'data: {"type":"completed","responseId":"","finishReason":null,"usage":null,"stopped":true}\n\n',
    );
  });

  it('writes what cannot be JSON as an error', () => {
    const chunk: Record<string, unknown> = { big: 1n };
    expect(received(of<ResponseEvent[]>({ type: 'chunk', chunk }).pipe(toServerSentEvents()))).toEqual([
      'event: error\ndata: {"type":"error","error":{"name":"Error"}}\n\n',
    ]);
  });

  describe('tells a front end', () => {
    const said = 'sk-secret, and what the user asked';

    it.each([
      [
        new UnexpectedStatusError({ status: 401, code: 'invalid_api_key', requestId: 'req_1', body: said }),
        { name: 'UnexpectedStatusError', status: 401, code: 'invalid_api_key' },
      ],
      [
        new RetryLimitError({ status: 503, retryAfter: 90_000, body: said }, 5),
        { name: 'RetryLimitError', status: 503, retryAfter: 90_000 },
      ],
      [
        new ProviderStreamError({ code: 'overloaded', type: 'server_error', status: 529, message: said }),
        { name: 'ProviderStreamError', status: 529, code: 'overloaded' },
      ],
      [new TransportError({ cause: new Error(said) }), { name: 'TransportError' }],
      [new MissingApiKeyError('openai', 'OPENAI_API_KEY', said), { name: 'MissingApiKeyError' }],
      [
        new UnexpectedContentError({ status: 200, contentType: 'text/html', snippet: said }),
        { name: 'UnexpectedContentError', status: 200 },
      ],
      [new IncompleteStreamError({ ...emptyTurn, text: said }), { name: 'IncompleteStreamError' }],
      [
        new RemoteTurnError({ name: 'RetryLimitError', status: 429, code: 'x', message: said }),
        { name: 'RemoteTurnError', status: 429, code: 'x' },
      ],
    ])('of %p its name, status, code and retryAfter', (error, expected) => {
      expect(told(error)).toStrictEqual({ type: 'error', error: expected });
    });

    it.each([
      [Object.assign(new TypeError(said), { code: '23505', status: 500 })],
      [{ name: said, message: said, status: 400 }],
      [said],
      [undefined],
      [null],
    ])('nothing of an error that is not of this library: %p', (error) => {
      expect(told(error)).toStrictEqual({ type: 'error', error: { name: 'Error' } });
    });

    it('no code that is prose, and no wait without end', () => {
      const error = new UnexpectedStatusError({ status: 400, code: said, retryAfter: Infinity });
      expect(told(error)).toStrictEqual({
        type: 'error',
        error: { name: 'UnexpectedStatusError', status: 400 },
      });
    });

    it('of a retry no more than of an error', () => {
      const error = new UnexpectedStatusError({ status: 503, requestId: 'req_1', body: said });
      const retry: ResponseEvent = { type: 'retrying', attempt: 1, delay: 200, error };
      expect(received(of(retry).pipe(toServerSentEvents()))).toEqual([
        'data: {"type":"retrying","attempt":1,"delay":200,"error":{"name":"UnexpectedStatusError","status":503}}\n\n',
        written.D,
      ]);
    });

    it('what toError says, of retries too', () => {
      const toError = (error: unknown) => ({
        name: 'Busy',
        message: error instanceof TransportError ? 'Try again.' : 'Sorry.',
        code: 'busy',
      });
      const busy = (message: string) => ({ name: 'Busy', message, code: 'busy' });
      expect(told(failed, { toError })).toStrictEqual({ type: 'error', error: busy('Sorry.') });
      const retry: ResponseEvent = { type: 'retrying', attempt: 1, delay: 200, error: new TransportError() };
      const [message = ''] = received(of(retry).pipe(toServerSentEvents({ toError })));
      expect(JSON.parse(message.slice('data: '.length))).toEqual({ ...retry, error: busy('Try again.') });
    });

    it('nothing of what toError gives beside what is asked', () => {
      const toError = () => ({ name: 'not a name', status: 7, code: said, retryAfter: -1, body: said });
      expect(told(failed, { toError })).toStrictEqual({ type: 'error', error: { name: 'Error' } });
    });
  });

  it('fails with what toError throws', () => {
    const toError = () => {
      throw new Error('toError');
    };
    expect(failureOf(throwError(() => failed).pipe(toServerSentEvents({ toError })))).toEqual(
      new Error('toError'),
    );
  });

  describe('fills silence with comments', () => {
    it('counted from the subscription, and anew from each event', () => {
      const scheduler = testScheduler();
      scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<ResponseEvent>('--a---------b--(c|)', values);
        const lines = source.pipe(toServerSentEvents({ heartbeat: 4, scheduler }));
        expectObservable(lines).toBe('      --a---p---p-b--(cD|)', written);
        expectSubscriptions(source.subscriptions).toBe('^--------------!');
      });
    });

    it('before the first event, and no more after the subscriber has left', () => {
      const scheduler = testScheduler();
      scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<ResponseEvent>('-', values);
        expectObservable(source.pipe(toServerSentEvents({ heartbeat: 3, scheduler })), '^-------!').toBe(
          '---p--p--',
          written,
        );
        expectSubscriptions(source.subscriptions).toBe('^-------!');
        scheduler.schedule(() => expect(scheduler.actions).toHaveLength(0), 9);
      });
    });

    it('every 15 seconds where nothing is said of it', () => {
      testScheduler().run(({ cold, expectObservable }) => {
        const source = cold<ResponseEvent>('20s a 20s |', values);
        expectObservable(source.pipe(toServerSentEvents())).toBe('15s p 4999ms a 14999ms p 5s (D|)', written);
      });
    });

    it('never, at Infinity', () => {
      testScheduler().run(({ cold, expectObservable }) => {
        const source = cold<ResponseEvent>('60m a 60m |', values);
        expectObservable(source.pipe(toServerSentEvents({ heartbeat: Infinity }))).toBe(
          '60m a 60m (D|)',
          written,
        );
      });
    });

    it('without a timer at Infinity', () => {
      const scheduler = new VirtualTimeScheduler();
      const subscription = NEVER.pipe(toServerSentEvents({ heartbeat: Infinity, scheduler })).subscribe();
      expect(scheduler.actions).toEqual([]);
      subscription.unsubscribe();
    });

    it('each millisecond, at 1', () => {
      const scheduler = testScheduler();
      scheduler.run(({ cold, expectObservable }) => {
        const source = cold<ResponseEvent>('---(c|)', values);
        expectObservable(source.pipe(toServerSentEvents({ heartbeat: 1, scheduler }))).toBe(
          '-pp(cD|)',
          written,
        );
      });
    });

    it('with a clock that was set back, too', () => {
      const scheduler = testScheduler();
      scheduler.run(({ cold, expectObservable }) => {
        const now = scheduler.now.bind(scheduler);
        scheduler.now = () => (now() < 2 ? 1_000_000 : now());
        const source = cold<ResponseEvent>('-', values);
        expectObservable(source.pipe(toServerSentEvents({ heartbeat: 3, scheduler })), '^-------!').toBe(
          '------p-',
          written,
        );
      });
    });

    it.each([0, -1, NaN, '15'])('with no period of %p', (heartbeat) => {
      expect(() => toServerSentEvents({ heartbeat: heartbeat as number })).toThrow(
        new TypeError('options.heartbeat must be a number of at least 1.'),
      );
    });

    it('leaves a consumer alone that leaves at a comment', () => {
      const scheduler = testScheduler();
      scheduler.run(({ expectObservable }) => {
        const lines = NEVER.pipe(toServerSentEvents({ heartbeat: 3, scheduler }), take(1));
        expectObservable(lines).toBe('---(p|)', written);
      });
    });
  });
});
