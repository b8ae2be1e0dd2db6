import { defer, type Observable, of, take, throwError, VirtualTimeScheduler } from 'rxjs';
import { restartOnBreak } from '../../src/compose/restart-on-break.js';
import { accumulate } from '../../src/operators/accumulate.js';
import { IncompleteStreamError, requireFinish } from '../../src/operators/require-finish.js';
import {
  type ChatCompletionsError,
  IdleTimeoutError,
  ProviderStreamError,
  ResponseTimeoutError,
  RetryLimitError,
  StreamError,
  TransportError,
} from '../../src/turn/errors.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { emptyTurn, type Turn } from '../../src/turn/turn.js';
import { attempts } from '../support/attempts.js';
import { completed, text } from '../support/events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';
import { sourcesInTurn } from '../support/sources-in-turn.js';

const exact = { initialDelay: 5, jitter: 0 };
const events = {
  a: text('On'),
  b: text('ce'),
  c: completed({ finishReason: 'stop' }),
  e: completed({ endedBy: 'eof' }),
};
const restarting = (attempt: number, delay: number, error: ChatCompletionsError): ResponseEvent => ({
  type: 'restarting',
  attempt,
  delay,
  error,
});

describe('restartOnBreak', () => {
  it('emits restarting at the break, waits, and subscribes again', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = new StreamError();
      const first = cold<ResponseEvent>('--a--b--#', events, error);
      const second = cold<ResponseEvent>('            --a--(bc|)', events);
      const turn = sourcesInTurn(first, second).pipe(restartOnBreak(exact));
      const expected = '                  --a--b--r------a--(bc|)';
      expectObservable(turn).toBe(expected, { ...events, r: restarting(1, 5, error) });
      expectSubscriptions(first.subscriptions).toBe(' ^-------!');
      expectSubscriptions(second.subscriptions).toBe('-------------^----!');
    });
  });

  it('waits longer each time, and gives up after maxRetries with the last error', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const errors = [new StreamError(), new IdleTimeoutError(300), new StreamError()] as const;
      const [first, second, third] = errors;
      const sources = errors.map((error) => cold<ResponseEvent>('-a#', events, error));
      const turn = sourcesInTurn(...sources).pipe(restartOnBreak({ ...exact, maxRetries: 2 }));
      expectObservable(turn).toBe(
        '-ar-----as----------a#',
        { ...events, r: restarting(1, 5, first), s: restarting(2, 10, second) },
        third,
      );
      expectSubscriptions(sources[0]!.subscriptions).toBe('^-!');
      expectSubscriptions(sources[1]!.subscriptions).toBe('-------^-!');
      expectSubscriptions(sources[2]!.subscriptions).toBe('-------------------^-!');
    });
  });

  it('restarts five times by default, 200 ms after the first break and twice as long after each', () => {
    testScheduler().run(({ expectObservable }) => {
      const error = new StreamError();
      const turn = throwError(() => error).pipe(restartOnBreak({ jitter: 0 }));
      const delays = [200, 400, 800, 1_600, 3_200];
      const values = Object.fromEntries(
        delays.map((delay, index) => [index + 1, restarting(index + 1, delay, error)]),
      );
      const marbles = '1 199ms 2 399ms 3 799ms 4 1599ms 5 3199ms #';
      expectObservable(turn).toBe(marbles, values, error);
    });
  });

  it('tells in the last error of all attempts, and says how many there were', () => {
    const errors = [
      new StreamError(),
      new ProviderStreamError({ status: 529, message: 'private' }),
      new StreamError({ cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) }),
    ];
    const turn = sourcesInTurn(...errors.map((error) => throwError(() => error)));
    const last = failureInTime((scheduler) => turn.pipe(restartOnBreak({ maxRetries: 2, scheduler })));
    expect(last).toBe(errors[2]);
    expect(last).toMatchObject({
      message: 'The event stream broke off (ECONNRESET). This was the last of 3 attempts.',
      attempts: errors,
    });
    expect(Object.keys(errors[2]!)).not.toContain('attempts');
  });

  it('tells of the attempts too where the last failed before its answer began', () => {
    const [broken, refused] = [new StreamError(), new RetryLimitError({ status: 503 }, attempts(2))];
    const turn = sourcesInTurn(
      throwError(() => broken),
      throwError(() => refused),
    );
    expect(failureInTime((scheduler) => turn.pipe(restartOnBreak({ scheduler })))).toBe(refused);
    expect(refused.attempts).toEqual([broken, ...attempts(2)]);
    expect(refused.message).toBe(
      'The provider returned status 503 after 2 attempts. This was the last of 3 attempts.',
    );
  });

  it('says nothing of attempts where there was one', () => {
    const error = new StreamError({ retryable: false });
    expect(failureOf(throwError(() => error).pipe(restartOnBreak()))).toBe(error);
    expect(error).not.toHaveProperty('attempts');
    expect(error.message).toBe('The event stream broke off.');
  });

  it('waits as long as the provider asks in the stream, and not longer than maxRetryAfter', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const busy = new ProviderStreamError({ status: 429, retryAfter: 7 });
      const busier = new ProviderStreamError({ status: 429, retryAfter: 12 });
      const turn = sourcesInTurn(
        cold<ResponseEvent>('-a#', events, busy),
        cold<ResponseEvent>('-a#', events, busier),
      ).pipe(restartOnBreak({ ...exact, maxRetryAfter: 11 }));
      expectObservable(turn).toBe('-ar-------a#', { ...events, r: restarting(1, 7, busy) }, busier);
    });
  });

  it('restarts a stream that ended too early where requireFinish() stands before it', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const turn = sourcesInTurn(
        cold<ResponseEvent>('-a-(e|)', events),
        cold<ResponseEvent>('-a-(bc|)', events),
      );
      const error = new IncompleteStreamError({ ...emptyTurn, status: 'completed', text: 'On' });
      expectObservable(turn.pipe(requireFinish(), restartOnBreak(exact))).toBe('-a-r-----a-(bc|)', {
        ...events,
        r: restarting(1, 5, error),
      });
    });
  });

  it.each([
    ['an error that asking again does not mend', new StreamError({ retryable: false })],
    ['a spent quota', new ProviderStreamError({ code: 'insufficient_quota', retryable: false })],
    ['no answer, which the turn itself retried', new TransportError()],
    ['an answer that was never begun', new ResponseTimeoutError(20)],
    ['an error of the application', new RangeError('theirs')],
  ])('passes %s', (_, error) => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('--a#', events, error);
      expectObservable(source.pipe(restartOnBreak())).toBe('--a#', events, error);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('passes an error after completed: the answer is whole', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('--(ac)#', events, new StreamError());
      expectObservable(source.pipe(restartOnBreak())).toBe('--(ac)#', events, new StreamError());
    });
  });

  it('asks retryable, with what had come of this attempt', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const error = new StreamError();
      const asked: Turn[] = [];
      const retryable = (_: unknown, soFar: Turn) => {
        asked.push(soFar);
        return soFar.text.length < 4;
      };
      const turn = sourcesInTurn(
        cold<ResponseEvent>('-a#', events, error),
        cold<ResponseEvent>('-(ab)#', events, error),
      ).pipe(restartOnBreak({ ...exact, retryable }));
      expectObservable(turn).toBe('-ar-----(ab)#', { ...events, r: restarting(1, 5, error) }, error);
      cold('20ms |').subscribe({
        complete: () => expect(asked.map(({ text }) => text)).toEqual(['On', 'Once']),
      });
    });
  });

  it('ends with what retryable throws', () => {
    const error = new TypeError('predicate');
    const retryable = () => {
      throw error;
    };
    expect(failureOf(throwError(() => new StreamError()).pipe(restartOnBreak({ retryable })))).toBe(error);
  });

  it.each([
    ['before the break', '   ^-!       ', '-a       ', '^-!', []],
    ['at the break', '       ^--!      ', '-a       ', '^--!', []],
    ['during the wait', '    ^-----!   ', '-a-r     ', '^--!', []],
    ['in the second answer', '^---------!', '-a-r-----a', '^--!', ['--------^-!']],
  ] as const)('is left %s', (_, leave, expected, first, second) => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = new StreamError();
      const sources = [cold<ResponseEvent>('-a-#', events, error), cold<ResponseEvent>('-a----b', events)];
      const turn = sourcesInTurn(...sources).pipe(restartOnBreak(exact));
      expectObservable(turn, leave).toBe(expected, { ...events, r: restarting(1, 5, error) });
      expectSubscriptions(sources[0]!.subscriptions).toBe(first);
      expectSubscriptions(sources[1]!.subscriptions).toBe([...second]);
    });
  });

  it('counts the restarts of each subscription by itself', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const error = new StreamError();
      const turn = cold<ResponseEvent>('-a#', events, error).pipe(
        restartOnBreak({ ...exact, maxRetries: 1 }),
      );
      const expected = '-ar-----a#';
      expectObservable(turn).toBe(expected, { ...events, r: restarting(1, 5, error) }, error);
      expectObservable(turn).toBe(expected, { ...events, r: restarting(1, 5, error) }, error);
    });
  });

  it('stops a source that emits synchronously where its consumer leaves', () => {
    const turn = of(events.a, events.b, events.c).pipe(restartOnBreak(), take(2));
    expect(received(turn)).toEqual([events.a, events.b]);
  });

  it('leaves nothing of the first answer in what is folded', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const turn = sourcesInTurn(
        cold<ResponseEvent>('-(ab)#', events, new StreamError()),
        cold<ResponseEvent>('-a', events),
      ).pipe(restartOnBreak(exact), accumulate());
      const [e, streaming] = [emptyTurn, { ...emptyTurn, status: 'streaming' }] as const;
      expectObservable(turn).toBe('e(ab)r-----a', {
        e,
        a: { ...streaming, text: 'On' },
        b: { ...streaming, text: 'Once' },
        r: { ...emptyTurn, status: 'restarting' },
      });
    });
  });

  it('remembers the last hundred attempts where it asks without end', () => {
    let asked = 0;
    const source = defer(() => {
      asked += 1;
      return throwError(() => (asked <= 150 ? new StreamError() : new StreamError({ retryable: false })));
    });
    const error = failureInTime((scheduler) =>
      source.pipe(restartOnBreak({ ...exact, maxRetries: Infinity, scheduler })),
    );
    expect(asked).toBe(151);
    expect(error).toMatchObject({ message: expect.stringMatching(/of at least 100 attempts\.$/) as string });
    expect((error as StreamError).attempts).toHaveLength(100);
    expect((error as StreamError).attempts?.at(-1)).toBe(error);
  });
});

/** What a turn fails with, its waits in virtual time. */
function failureInTime(turn: (clock: VirtualTimeScheduler) => Observable<unknown>): unknown {
  const clock = new VirtualTimeScheduler();
  let failure: unknown = 'it did not fail';
  turn(clock).subscribe({ error: (error: unknown) => (failure = error) });
  clock.flush();
  return failure;
}
