import {
  concat,
  map,
  NEVER,
  Observable,
  of,
  range,
  startWith,
  Subject,
  take,
  takeUntil,
  throwError,
} from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import {
  ApplicationError,
  ChatCompletionsError,
  StreamError,
  TransportError,
} from '../../src/turn/errors.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { IncompleteStreamError } from '../../src/operators/require-finish.js';
import { stopWhen } from '../../src/operators/stop-when.js';
import { idleState, toState, type TurnState } from '../../src/operators/to-state.js';
import { emptyTurn, type Turn, type TurnStatus } from '../../src/turn/turn.js';
import { streamChatCompletions } from '../../src/stream-chat-completions.js';
import { completed, provider, text } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';

const failure = new TransportError();
const broken = new StreamError();
const values = {
  a: text('Hel'),
  b: text('lo'),
  c: completed({ responseId: 'r1', finishReason: 'stop' }),
  r: { type: 'retrying', attempt: 1, delay: 7, error: failure } as const,
  k: { type: 'chunk', chunk: {} } as const,
  x: { type: 'restarting', attempt: 1, delay: 7, error: broken } as const,
};

const turn = (status: TurnStatus, text = '', fields: Partial<Turn> = {}): Turn => ({
  ...emptyTurn,
  status,
  text,
  ...fields,
});
const state = (
  status: Exclude<TurnState['status'], 'retrying' | 'restarting' | 'error'>,
  turn: Turn,
): TurnState => ({
  status,
  turn,
  error: undefined,
  retry: undefined,
});
const failed = (turn: Turn, error: ChatCompletionsError = broken): TurnState => ({
  status: 'error',
  turn,
  error,
  retry: undefined,
});
const retrying = (at: number): TurnState => ({
  status: 'retrying',
  turn: turn('retrying'),
  error: undefined,
  retry: { attempt: 1, delay: 7, at, error: failure },
});

const restarting = (at: number): TurnState => ({
  status: 'restarting',
  turn: turn('restarting'),
  error: undefined,
  retry: { attempt: 1, delay: 7, at, error: broken },
});

const over = { responseId: 'r1', finishReason: 'stop' };
const states: Record<string, TurnState> = {
  i: idleState,
  w: state('waiting', emptyTurn),
  H: state('streaming', turn('streaming', 'Hel')),
  L: state('streaming', turn('streaming', 'Hello')),
  C: state('completed', turn('completed', 'Hello', over)),
  B: state('streaming', turn('streaming', 'lo')),
  S: state('stopped', turn('stopped', 'Hel')),
  N: state('stopped', turn('stopped')),
  E: failed(turn('streaming', 'Hel')),
};

describe('toState', () => {
  it('gives waiting at once and a state for each event', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-(c|)', values);
      expectObservable(source.pipe(toState())).toBe('    wH-L-(C|)', states);
      expectSubscriptions(source.subscriptions).toBe('    ^----!');
    });
  });

  it('has its first state before subscribe returns', () => {
    expect(received(NEVER.pipe(toState()))).toEqual([states['w']]);
  });

  it('makes an error a state that keeps what had come, and completes', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-#', values, broken);
      expectObservable(source.pipe(toState())).toBe('    wH-(E|)', states);
      expectSubscriptions(source.subscriptions).toBe('    ^--!');
    });
  });

  it('makes an error a state that comes at once, is thrown, or comes after the end', () => {
    const F = failed(emptyTurn);
    const thrown = new Observable<ResponseEvent>(() => {
      throw broken;
    });
    expect(received(throwError(() => broken).pipe(toState()))).toEqual([states['w'], F]);
    expect(received(thrown.pipe(toState()))).toEqual([states['w'], F]);
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-a-b-c-#', values, broken);
      expectObservable(source.pipe(toState())).toBe('    wH-L-C-(F|)', {
        ...states,
        F: failed(turn('completed', 'Hello', over)),
      });
    });
  });

  it.each([
    ['of the library', broken],
    ['that requireFinish() raised', new IncompleteStreamError(emptyTurn)],
  ])('keeps an error %s as it is', (_, error) => {
    const [, last] = received(throwError(() => error).pipe(toState()));
    expect(last?.error).toBe(error);
  });

  it.each([
    ['of a class', new TypeError('broken')],
    ['of a text', 'broken'],
    ['of nothing', undefined],
  ])("makes the application's own error, %s, the cause of an ApplicationError", (_, error) => {
    const [, last] = received(throwError(() => error).pipe(toState()));
    expect(last).toEqual(failed(emptyTurn, expect.any(ApplicationError) as ApplicationError));
    expect(last?.error?.cause).toBe(error);
  });

  it("makes an apiKey function's error the cause of an ApplicationError", () => {
    const refused = new Error('The vault is locked.');
    const apiKey = () => throwError(() => refused);
    const states = received(
      streamChatCompletions('Hi', { model: 'm', provider: { ...provider, apiKey } }).pipe(toState()),
    );
    expect(states.map(({ status }) => status)).toEqual(['waiting', 'error']);
    expect(states[1]?.error).toBeInstanceOf(ApplicationError);
    expect(states[1]?.error?.cause).toBe(refused);
  });

  it('tells of a retry until the answer begins, and when it is due', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('--r----a-b-(c|)', values);
      expectObservable(source.pipe(toState({ scheduler }))).toBe('w-R----H-L-(C|)', {
        ...states,
        R: retrying(9),
      });
    });
  });

  it('tells of each retry anew', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('--r---r---#', values, broken);
      expectObservable(source.pipe(toState({ scheduler }))).toBe('w-R---Q---(F|)', {
        ...states,
        R: retrying(9),
        Q: retrying(13),
        F: failed(turn('retrying')),
      });
    });
  });

  it('says when a retry is due by the clock of today where no scheduler is given', () => {
    const before = Date.now();
    const [, retry] = received(of<ResponseEvent[]>(values.r).pipe(toState()));
    expect(retry?.retry?.at).toBeGreaterThanOrEqual(before + 7);
    expect(retry?.retry?.at).toBeLessThanOrEqual(Date.now() + 7);
  });

  it('ends with stopped where the source ends in the middle of a turn', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a---b', values);
      const ended = source.pipe(takeUntil(cold('---x')));
      expectObservable(ended.pipe(toState())).toBe('wH-(S|)', states);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('ends with stopped where the source ends before anything came, a retry aside', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<ResponseEvent>('--|', values).pipe(toState())).toBe('w-(N|)', states);
    });
    expect(received(of<ResponseEvent[]>(values.r).pipe(toState())).map(({ status }) => status)).toEqual([
      'waiting',
      'retrying',
      'stopped',
    ]);
  });

  it('is stopped once, by stopWhen()', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-a---b', values);
      expectObservable(source.pipe(stopWhen(cold('---x')), toState())).toBe('wH-(S|)', states);
    });
  });

  it('begins a new turn with the event after completed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-a-b-c-b-c|', values);
      expectObservable(source.pipe(toState())).toBe('    wH-L-C-B-D|', {
        ...states,
        D: state('completed', turn('completed', 'lo', over)),
      });
    });
  });

  it('gives no state for events that change nothing', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-k-r-k-a-k-b-(c|)', values);
      expectObservable(source.pipe(toState({ scheduler }))).toBe('w--R---H---L-(C|)', {
        ...states,
        R: retrying(10),
      });
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b', values);
      expectObservable(source.pipe(toState()), '^-!').toBe('wH-', states);
      expectSubscriptions(source.subscriptions).toBe('      ^-!');
    });
  });

  it('never subscribes where the first state was enough', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b', values);
      expectObservable(source.pipe(toState(), take(1))).toBe('(w|)', states);
      expectSubscriptions(source.subscriptions).toBe([]);
    });
  });

  it('stops an endless synchronous source', () => {
    const deltas = range(0, Infinity).pipe(map(() => text('x')));
    expect(received(deltas.pipe(toState(), take(3))).map((state) => state.turn.text)).toEqual([
      '',
      'x',
      'xx',
    ]);
  });

  it('folds each subscription from the start', () => {
    const once = concat(of<ResponseEvent[]>(values.a), NEVER).pipe(toState());
    expect(received(once)).toEqual([states['w'], states['H']]);
    expect(received(once)).toEqual([states['w'], states['H']]);
  });

  it('can be stopped by whoever handles a state', () => {
    const stop = new Subject<void>();
    const seen: string[] = [];
    of<ResponseEvent[]>(values.a, values.b, values.c)
      .pipe(stopWhen(stop), toState())
      .subscribe(({ status, turn }) => {
        seen.push(`${status} ${turn.text}`);
        if (turn.text !== '') stop.next();
      });
    expect(seen).toEqual(['waiting ', 'streaming Hel', 'stopped Hel']);
  });

  it('counts down to the restart, without what had come, until the next attempt streams', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-x--k---b-(c|)', values);
      const X = restarting(3 + 7);
      const D = state('completed', turn('completed', 'lo', over));
      expectObservable(source.pipe(toState())).toBe('    wH-X------B-(D|)', { ...states, X, D });
      expectSubscriptions(source.subscriptions).toBe('    ^-----------!');
    });
  });

  it('counts down anew at each restart, one of a second turn too', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-x--x', values);
      const [X, Y] = [restarting(1 + 7), restarting(4 + 7)];
      expectObservable(source.pipe(toState())).toBe('wX--Y', { ...states, X, Y });
      const second = cold<ResponseEvent>('-a-b-c-x', values);
      const Z = restarting(7 + 7);
      expectObservable(second.pipe(toState())).toBe('wH-L-C-Z', { ...states, Z });
    });
  });

  it('tells the time of the restart by its scheduler', () => {
    const clock = new TestScheduler(() => {});
    clock.frame = 1_000;
    const [, shown] = received(of<ResponseEvent>(values.x).pipe(toState({ scheduler: clock })));
    expect(shown).toEqual(restarting(1_007));
  });

  it('shows a turn that is stopped, or fails, while it waits to restart', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const X = restarting(3 + 7);
      const stopped = cold<ResponseEvent>('-a-x', values);
      expectObservable(stopped.pipe(stopWhen(cold('-----x')), toState())).toBe('wH-X-(N|)', {
        ...states,
        X,
      });
      expectSubscriptions(stopped.subscriptions).toBe('^----!');
      const failing = cold<ResponseEvent>('-a-x-#', values, broken);
      const F = failed(turn('restarting'));
      expectObservable(failing.pipe(toState())).toBe('wH-X-(F|)', { ...states, X, F });
    });
  });

  it('tells by its status what else there is', () => {
    const said = (state: TurnState): string => {
      // Compiles only where the status narrows the rest.
      if (state.status === 'retrying' || state.status === 'restarting')
        return `attempt ${state.retry.attempt} failed`;
      const none: undefined = state.retry;
      return state.status === 'error' ? state.error.name : String(none);
    };
    expect([retrying(1), failed(emptyTurn), idleState].map(said)).toEqual([
      'attempt 1 failed',
      'StreamError',
      'undefined',
    ]);
  });
});

describe('idleState', () => {
  it('is the state to begin with, and cannot be changed', () => {
    expect(idleState).toEqual(state('idle', emptyTurn));
    expect(Object.isFrozen(idleState)).toBe(true);
    const shown = of<ResponseEvent[]>(values.a).pipe(toState(), startWith(idleState));
    expect(received(shown)).toEqual([states['i'], states['w'], states['H'], states['S']]);
  });
});
