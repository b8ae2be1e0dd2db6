import { map, of, range, take } from 'rxjs';
import type { ResponseEvent } from '../../src/turn/events.js';
import { IncompleteStreamError, requireFinish } from '../../src/operators/require-finish.js';
import { emptyTurn } from '../../src/turn/turn.js';
import { restartingEvent } from '../../src/testing/index.js';
import { completed, text } from '../support/events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';
import { runCompleted, toolEvents } from '../support/run-events.js';

const call = (call_id: string): ResponseEvent => ({
  type: 'output_item_done',
  item: { type: 'function_call', call_id, name: 'f', arguments: '{"a":1}' },
});

const values = {
  a: text('Hel'),
  b: text('lo'),
  c: completed({ finishReason: 'stop' }),
  n: completed({ endedBy: 'eof' }),
  s: completed({ stopped: true }),
  r: restartingEvent(),
  f: call('a'),
  g: call('b'),
};

/** One choice of two was cut. */
const half = completed({
  finishReason: 'stop',
  choices: [{ choice: 1, finishReason: null }],
  endedBy: 'eof',
});

/** A `completed` that an application made by itself, or that an earlier version has written down. */
const untold = (finishReason: string | null): ResponseEvent => ({
  type: 'completed',
  responseId: '',
  finishReason,
  usage: null,
});

describe('requireFinish', () => {
  it('errors where one of several choices was cut', () => {
    expect(failureOf(of<ResponseEvent[]>(values.a, half).pipe(requireFinish()))).toBeInstanceOf(
      IncompleteStreamError,
    );
  });

  it('passes a finished turn on unchanged', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-(c|)', values);
      expectObservable(source.pipe(requireFinish())).toBe('-a-b-(c|)', values);
      expectSubscriptions(source.subscriptions).toBe('    ^----!');
    });
  });

  it('errors in place of a completed without a finish reason', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-n-c|', values);
      const error = new IncompleteStreamError(emptyTurn);
      expectObservable(source.pipe(requireFinish())).toBe('-a-#', values, error);
      expectSubscriptions(source.subscriptions).toBe('    ^--!');
    });
  });

  describe('of calls, and of what follows the first', () => {
    it('delivers nothing before the turn has ended, and then all in order', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<ResponseEvent>('-a-f-b-g-c------f-a-c-----|', values);
        expectObservable(source.pipe(requireFinish())).toBe('-a-------(fbgc)-----(fac)-|', values);
        expectSubscriptions(source.subscriptions).toBe('    ^-------------------------!');
      });
    });

    it('delivers nothing where the turn is incomplete', () => {
      testScheduler().run(({ cold, expectObservable }) => {
        const source = cold<ResponseEvent>('-a-f-b-(gn)', values);
        expectObservable(source.pipe(requireFinish())).toBe(
          '-a-----#',
          values,
          new IncompleteStreamError(emptyTurn),
        );
      });
    });

    it('delivers nothing where the source errors, or its consumer leaves', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const broken = cold<ResponseEvent>('-a-f-b-#', values, 'broken');
        expectObservable(broken.pipe(requireFinish())).toBe('-a-----#', values, 'broken');
        const left = cold<ResponseEvent>('-a-f-b-c', values);
        expectObservable(left.pipe(requireFinish()), '^----!').toBe('-a-', values);
        expectSubscriptions(left.subscriptions).toBe('       ^----!');
      });
    });

    it('delivers all where the source completes without completed, and where the turn was stopped', () => {
      testScheduler().run(({ cold, expectObservable }) => {
        const open = cold<ResponseEvent>('-a-f-b-|', values);
        expectObservable(open.pipe(requireFinish())).toBe('-a-----(fb|)', values);
        const stopped = cold<ResponseEvent>('-f-s', values);
        expectObservable(stopped.pipe(requireFinish())).toBe('---(fs)', values);
      });
    });

    it('gives the error the turn with its calls', () => {
      const failure = failureOf(of<ResponseEvent[]>(values.f, values.n).pipe(requireFinish()));
      expect((failure as IncompleteStreamError).turn.toolCalls).toMatchObject([{ callId: 'a' }]);
    });

    it('goes on with nothing once its consumer has left in the midst of what waited', () => {
      const seen = received(of<ResponseEvent[]>(values.f, values.g, values.c).pipe(requireFinish(), take(1)));
      expect(seen).toEqual([values.f]);
    });
  });

  it.each([
    ['that ended with [DONE], and told no finish reason', completed({ endedBy: 'done' })],
    ['that broke after its finish reason', completed({ finishReason: 'stop', endedBy: 'finish_reason' })],
    ['whose end nobody told', untold('stop')],
  ])('lets a turn pass %s', (_, end) => {
    expect(received(of<ResponseEvent>(end).pipe(requireFinish()))).toEqual([end]);
  });

  it('errors in place of a completed that tells neither', () => {
    const end = of<ResponseEvent>(untold(null));
    expect(failureOf(end.pipe(requireFinish()))).toBeInstanceOf(IncompleteStreamError);
  });

  it('lets a turn pass that its caller stopped', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-a-(s|)', values);
      expectObservable(source.pipe(requireFinish())).toBe('-a-(s|)', values);
    });
  });

  it('passes restarting, and gives its error what came after it alone', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-r-b-n', values);
      const error = new IncompleteStreamError({ ...emptyTurn, status: 'completed', text: 'lo' });
      expectObservable(source.pipe(requireFinish())).toBe('-a-r-b-#', values, error);
      expectSubscriptions(source.subscriptions).toBe('    ^------!');
    });
    const failure = failureOf(of(values.a, values.r, values.b, values.n).pipe(requireFinish()));
    expect((failure as IncompleteStreamError).turn.text).toBe('lo');
  });

  it('leaves a source that ends without completed alone', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<ResponseEvent>('-a-|', values).pipe(requireFinish())).toBe('-a-|', values);
    });
  });

  it("passes the source's error on", () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-a-#', values, 'broken');
      expectObservable(source.pipe(requireFinish())).toBe('-a-#', values, 'broken');
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-n', values);
      expectObservable(source.pipe(requireFinish()), '^-!').toBe('-a-', values);
      expectSubscriptions(source.subscriptions).toBe('           ^-!');
    });
  });

  it('gives the error the turn that it cut short, and only that one', () => {
    const source = of<ResponseEvent[]>(
      text('first turn'),
      completed({ finishReason: 'stop' }),
      text('sec'),
      text('ond'),
      completed({ responseId: 'r2', model: 'm', endedBy: 'eof' }),
    );
    const failure = failureOf(source.pipe(requireFinish()));
    expect(failure).toBeInstanceOf(IncompleteStreamError);
    expect((failure as IncompleteStreamError).name).toBe('IncompleteStreamError');
    expect((failure as IncompleteStreamError).message).toBe(
      'The stream ended without a finish reason or [DONE]: the output is incomplete.',
    );
    expect((failure as IncompleteStreamError).turn).toEqual({
      ...emptyTurn,
      status: 'completed',
      text: 'second',
      responseId: 'r2',
      model: 'm',
      finishReason: null,
      usage: null,
    });
  });

  it('folds each subscription by itself', () => {
    const turn = of<ResponseEvent[]>(text('once'), values.n).pipe(requireFinish());
    failureOf(turn);
    expect((failureOf(turn) as IncompleteStreamError).turn.text).toBe('once');
  });

  it('stops an endless synchronous source', () => {
    const turns = range(0, Infinity).pipe(map(() => values.c));
    expect(received(turns.pipe(requireFinish(), take(1)))).toEqual([values.c]);
  });

  it('looks at each turn of a run, and passes what is between them', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const { requested: q, started: x, finished: z } = toolEvents;
      const run = { ...values, q, x, z, R: runCompleted };
      const source = cold('-a-f-(cq)-x-z-b-g-(cR|)', run);
      expectObservable(source.pipe(requireFinish())).toBe('-a---(fcq)x-z-b---(gcR|)', run);
      const cut = cold('-a-f-(cx)-z-b-g-n', run);
      const { turn } = failureOf(
        of(values.b, values.g, values.n).pipe(requireFinish()),
      ) as IncompleteStreamError;
      const error = expect.objectContaining({ turn }) as IncompleteStreamError;
      expectObservable(cut.pipe(requireFinish())).toBe('-a---(fcx)z-b---#', run, error);
      expectSubscriptions(cut.subscriptions).toBe('     ^---------------!');
    });
  });
});
