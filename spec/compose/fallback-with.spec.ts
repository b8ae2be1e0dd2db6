import { concat, EMPTY, NEVER, type Observable, of, throwError, timer } from 'rxjs';
import { fallbackWith } from '../../src/compose/fallback-with.js';
import { restartOnBreak } from '../../src/compose/restart-on-break.js';
import { accumulate } from '../../src/operators/accumulate.js';
import {
  ApplicationError,
  InvalidProviderError,
  MissingApiKeyError,
  ProviderStreamError,
  RetryLimitError,
  StreamError,
  TransportError,
  UnexpectedStatusError,
} from '../../src/turn/errors.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { attempts } from '../support/attempts.js';
import { completed, text } from '../support/events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';
import { sourcesInTurn } from '../support/sources-in-turn.js';

const down = () => new TransportError();
const values: Record<string, ResponseEvent> = {
  a: text('Hel'),
  b: text('lo'),
  c: completed({ finishReason: 'stop' }),
  k: { type: 'chunk', chunk: { id: 'first' } },
  l: { type: 'chunk', chunk: { id: 'second' } },
  w: { type: 'retrying', attempt: 1, delay: 3, error: new TransportError() },
};
const restarting = (attempt: number, error: StreamError | ApplicationError): ResponseEvent => ({
  type: 'restarting',
  attempt,
  delay: 0,
  error,
});

describe('fallbackWith', () => {
  it('passes a turn that does not fail, and asks no other', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('--a-b-(c|)', values);
      const other = cold<ResponseEvent>('-a|', values);
      expectObservable(source.pipe(fallbackWith(other))).toBe('--a-b-(c|)', values);
      expectSubscriptions(source.subscriptions).toBe('         ^-----!');
      expectSubscriptions(other.subscriptions).toBe([]);
    });
  });

  it('goes on with the next turn in the instant in which one fails, as often as there are others', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('--#', values, down());
      const first = cold<ResponseEvent>('   --#', values, down());
      const second = cold<ResponseEvent>('    --a-b-(c|)', values);
      const third = cold<ResponseEvent>('-a', values);
      expectObservable(source.pipe(fallbackWith(first, second, third))).toBe('------a-b-(c|)', values);
      expectSubscriptions(source.subscriptions).toBe('^-!');
      expectSubscriptions(first.subscriptions).toBe(' --^-!');
      expectSubscriptions(second.subscriptions).toBe('----^-----!');
      expectSubscriptions(third.subscriptions).toBe([]);
    });
  });

  it('makes the other turn of the error and its place where it is a function', () => {
    const [first, second] = [down(), down()];
    const asked: unknown[] = [];
    const other = (next: Observable<ResponseEvent>) => (error: unknown, index: number) => {
      asked.push([error, index]);
      return next;
    };
    const turn = throwError(() => first).pipe(
      fallbackWith(other(throwError(() => second)), other(of(values['a']!))),
    );
    expect(received(turn)).toEqual([values['a']]);
    expect(asked).toEqual([
      [first, 0],
      [second, 1],
    ]);
  });

  it('ends with what such a function throws, unless there is another', () => {
    const broken = () => {
      throw new RangeError('factory');
    };
    expect(failureOf(throwError(down).pipe(fallbackWith(broken)))).toEqual(new RangeError('factory'));
    expect(received(throwError(down).pipe(fallbackWith(broken, [values['a']!])))).toEqual([values['a']]);
  });

  it('takes a promise and an iterable', async () => {
    const turn = throwError(down).pipe(fallbackWith(Promise.reject(down()), [values['a']!, values['c']!]));
    const seen: ResponseEvent[] = [];
    await turn.forEach((event) => seen.push(event));
    expect(seen).toEqual([values['a'], values['c']]);
  });

  it('lets retrying pass at once, and shows no chunk of a turn that was replaced', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-w-k-#', values, down());
      const other = cold<ResponseEvent>('     -l-a----k-(c|)', values);
      expectObservable(source.pipe(fallbackWith(other))).toBe('-w------(la)-k-(c|)', values);
    });
  });

  it('replaces no turn that has said something', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = new StreamError();
      const other = cold<ResponseEvent>('-a|', values);
      const source = cold<ResponseEvent>('--a--#', values, error);
      expectObservable(source.pipe(fallbackWith(other))).toBe('--a--#', values, error);
      expectSubscriptions(other.subscriptions).toBe([]);
    });
  });

  it("replaces it with afterContent: 'restart', which takes back what came of it", () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = new StreamError();
      const source = cold<ResponseEvent>('--a--#', values, error);
      const other = cold<ResponseEvent>('     --b-(c|)', values);
      const turn = source.pipe(fallbackWith({ others: [other], afterContent: 'restart' }));
      expectObservable(turn).toBe('--a--r-b-(c|)', { ...values, r: restarting(1, error) });
      expectSubscriptions(other.subscriptions).toBe(['-----^---!', '-----^---!']);
      expectObservable(turn.pipe(accumulate())).toBe('e-a--r-b-(c|)', {
        e: expect.objectContaining({ status: 'waiting', text: '' }) as unknown,
        a: expect.objectContaining({ status: 'streaming', text: 'Hel' }) as unknown,
        r: expect.objectContaining({ status: 'restarting', text: '' }) as unknown,
        b: expect.objectContaining({ status: 'streaming', text: 'lo' }) as unknown,
        c: expect.objectContaining({ status: 'completed', text: 'lo' }) as unknown,
      });
    });
  });

  it('gives an error that is not of the library as the cause of one', () => {
    const error = new RangeError('theirs');
    const turn = concat(
      of(values['a']!),
      throwError(() => error),
    ).pipe(fallbackWith({ others: [of(values['b']!)], afterContent: 'restart' }));
    const [, event] = received(turn);
    expect(event).toEqual(restarting(1, new ApplicationError(error)));
    expect(event).toHaveProperty('error.cause', error);
  });

  it('replaces a turn without asking where a restart has taken back all that it said', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const broken = new StreamError();
      const source = cold<ResponseEvent>('-a-r-#', { ...values, r: restarting(1, broken) }, down());
      const other = cold<ResponseEvent>('     -b', values);
      expectObservable(source.pipe(fallbackWith(other))).toBe('-a-r--b', {
        ...values,
        r: restarting(1, broken),
      });
    });
  });

  it('replaces no turn that is complete', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const error = new StreamError();
      const turn = cold<ResponseEvent>('-(ac)#', values, error);
      const options = { others: [of(values['b']!)], afterContent: 'restart' } as const;
      expectObservable(turn.pipe(fallbackWith(options))).toBe('-(ac)#', values, error);
    });
  });

  it('restarts within one provider before it falls back on the next', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = new StreamError();
      const first = cold<ResponseEvent>('-a#', values, error);
      const other = cold<ResponseEvent>('-b', values);
      const turn = first.pipe(
        restartOnBreak({ initialDelay: 2, jitter: 0, maxRetries: 1 }),
        fallbackWith({ others: [other], afterContent: 'restart' }),
      );
      expectObservable(turn).toBe('-ar--asb', {
        ...values,
        r: { ...restarting(1, error), delay: 2 },
        s: restarting(1, error),
      });
      expectSubscriptions(first.subscriptions).toBe(['^-!', '----^-!']);
    });
  });

  it.each([
    ['a failed connection', new TransportError(), true],
    ['a spent quota', new UnexpectedStatusError({ status: 429, code: 'insufficient_quota' }), true],
    ['retries that ran out', new RetryLimitError({ status: 503 }, attempts(5)), true],
    ['an error inside the stream', new ProviderStreamError({ status: 529 }), true],
    ['a missing key', new MissingApiKeyError('openai', 'OPENAI_API_KEY'), true],
    [
      'a prompt that is too long, by its code',
      new UnexpectedStatusError({ status: 400, code: 'context_length_exceeded' }),
      true,
    ],
    [
      'a prompt that is too long, by its words',
      new UnexpectedStatusError({ status: 400, body: "This model's maximum context length is 8192 tokens" }),
      true,
    ],
    ['an error of the application', new RangeError('theirs'), true],
    ['another wrong request', new UnexpectedStatusError({ status: 400, code: 'invalid_value' }), false],
    ['a mistake in the code', new TypeError('options.model must be a string.'), false],
    [
      'a provider that is configured wrongly',
      new InvalidProviderError('openai', 'baseUrl', 'it is none'),
      false,
    ],
  ])('decides by default on %s', (_, error, isReplaced) => {
    const turn = throwError(() => error).pipe(fallbackWith([values['a']!]));
    if (isReplaced) expect(received(turn)).toEqual([values['a']]);
    else expect(failureOf(turn)).toBe(error);
  });

  it('asks when, and ends with what it throws', () => {
    const error = down();
    expect(
      failureOf(throwError(() => error).pipe(fallbackWith({ others: [NEVER], when: () => false }))),
    ).toBe(error);
    const when = () => {
      throw new RangeError('predicate');
    };
    expect(failureOf(throwError(down).pipe(fallbackWith({ others: [NEVER], when })))).toEqual(
      new RangeError('predicate'),
    );
  });

  it('fails with the last error where all fail, and tells of all in it', () => {
    const errors = [
      new TransportError({ cause: new Error('refused') }),
      new RetryLimitError({ status: 503 }, attempts(3)),
      new StreamError({ cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) }),
    ];
    const [first, second, last] = errors;
    const turn = throwError(() => first).pipe(
      fallbackWith(
        throwError(() => second),
        throwError(() => last),
      ),
    );
    const error = failureOf(turn);
    expect(error).toBe(last);
    expect(last!.message).toBe('The event stream broke off (ECONNRESET). This was the last of 5 attempts.');
    expect(last!.attempts).toEqual([first, ...attempts(3), last]);
    const root = (last!.cause as Error).cause as AggregateError;
    expect(root).toBeInstanceOf(AggregateError);
    expect(root.errors).toEqual(errors);
    // An error that a source emits again and again gains no second one.
    expect(failureOf(turn)).toBe(last);
    expect(root.cause).toBeUndefined();
  });

  it('leaves what it cannot say it in as it is', () => {
    const error = Object.freeze(new RangeError('frozen'));
    expect(failureOf(throwError(down).pipe(fallbackWith(throwError(() => error))))).toBe(error);
    expect(failureOf(throwError(down).pipe(fallbackWith(throwError(() => 'text'))))).toBe('text');
  });

  it('leaves an error of the library as it is that is frozen, or whose cause cannot be read', () => {
    const frozen = Object.freeze(new TransportError());
    expect(failureOf(throwError(down).pipe(fallbackWith(throwError(() => frozen))))).toBe(frozen);
    const hostile = Object.defineProperty(down(), 'cause', {
      get() {
        throw new RangeError('theirs');
      },
    });
    expect(failureOf(throwError(down).pipe(fallbackWith(throwError(() => hostile))))).toBe(hostile);
  });

  it('lets no error grow without end that its turns fail with again and again', () => {
    const error = down();
    const turn = throwError(() => error).pipe(fallbackWith(throwError(() => error)));
    failureOf(turn);
    expect(error.attempts).toEqual([error, error]);
    for (let times = 0; times < 200; times += 1) failureOf(turn);
    expect(error.attempts).toHaveLength(100);
    expect(error.message).toMatch(/\w\. This was the last of at least 100 attempts\.$/);
  });

  describe('with a cooldown', () => {
    it('passes over what has failed, for so long, and for the turns through this operator', () => {
      testScheduler().run((helpers) => {
        const { cold, expectObservable, expectSubscriptions } = helpers;
        const source = cold<ResponseEvent>('#', values, down());
        const other = cold<ResponseEvent>(' (ac|)', values);
        const turn = source.pipe(fallbackWith({ others: [other], cooldown: 20 }));
        expectObservable(turn).toBe('(ac|)', values);
        expectObservable(concat(timer(19), turn)).toBe('19ms (0ac|)', { ...values, 0: 0 });
        expectObservable(concat(timer(20), turn)).toBe('20ms (0ac|)', { ...values, 0: 0 });
        expectSubscriptions(source.subscriptions).toBe(['(^!)', '--------------------(^!)']);
      });
    });

    it('tries all where all would be passed over', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<ResponseEvent>('#', values, down());
        const other = cold<ResponseEvent>(' #', values, down());
        const turn = source.pipe(fallbackWith({ others: [other], cooldown: 20 }));
        const error = expect.any(TransportError) as unknown;
        expectObservable(turn).toBe('#', values, error);
        expectObservable(concat(timer(5), turn)).toBe('-----(0#)', { 0: 0 }, error);
        expectSubscriptions(source.subscriptions).toBe(['(^!)', '-----(^!)']);
        expectSubscriptions(other.subscriptions).toBe([' (^!)', '-----(^!)']);
      });
    });

    it('asks those that are passed over where all others have failed', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const failing = cold<ResponseEvent>('-#', values, down());
        const answering = cold<ResponseEvent>('-(ac|)', values);
        const source = sourcesInTurn(failing, answering);
        const other = sourcesInTurn(answering, failing);
        const turn = source.pipe(fallbackWith({ others: [other], cooldown: 20 }));
        expectObservable(turn).toBe('                   --(ac|)', values);
        expectObservable(concat(timer(5), turn)).toBe(' -----0-(ac|)', { ...values, 0: 0 });
        expectSubscriptions(failing.subscriptions).toBe(['^!', '-----^!']);
        expectSubscriptions(answering.subscriptions).toBe(['-^!', '------^!']);
      });
    });

    it('gives the function of the next what the one before it had failed with', () => {
      const error = down();
      const asked: unknown[] = [];
      const turn = throwError(() => error).pipe(
        fallbackWith({
          others: [
            (failure) => {
              asked.push(failure);
              return EMPTY;
            },
          ],
          cooldown: 1_000,
        }),
      );
      received(turn);
      received(turn);
      expect(asked).toEqual([error, error]);
    });

    it('remembers no failure of one that has answered since', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const answer = cold<ResponseEvent>('(ac|)', values);
        const source = cold<ResponseEvent>('#', values, down());
        const other = throwError(down);
        const operator = fallbackWith({ others: [other], cooldown: 20 });
        const error = expect.any(TransportError) as unknown;
        expectObservable(source.pipe(operator)).toBe('#', values, error);
        // All are passed over: the source is tried, and answers.
        expectObservable(concat(timer(5), answer.pipe(operator))).toBe('-----(0ac|)', { ...values, 0: 0 });
        expectObservable(concat(timer(6), answer.pipe(operator))).toBe('------(0ac|)', { ...values, 0: 0 });
        expectSubscriptions(answer.subscriptions).toBe(['-----(^!)', '------(^!)']);
      });
    });
  });

  it.each([
    ['^!      ', '-      ', '^!', []],
    ['^-!     ', '--     ', '^-!', []],
    ['^--!    ', '---    ', '^-!', ['--^!']],
    ['^---!   ', '----   ', '^-!', ['--^-!']],
    ['^----!  ', '----a  ', '^-!', ['--^--!']],
    ['^------!', '----a-b', '^-!', ['--^----!']],
  ] as const)('is left at %s', (leave, expected, ofSource, ofOther) => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('--#', values, down());
      const other = cold<ResponseEvent>('--a-b-', values);
      expectObservable(source.pipe(fallbackWith(other)), leave).toBe(expected, values);
      expectSubscriptions(source.subscriptions).toBe(ofSource);
      expectSubscriptions(other.subscriptions).toBe([...ofOther]);
    });
  });
});
