import { distinctUntilChanged, map } from 'rxjs';
import { stopWhen } from '../../src/operators/stop-when.js';
import { emptyRun, reduceRun } from '../../src/run/run.js';
import { idleRunState, type RunState, toRunState } from '../../src/run/to-run-state.js';
import { restartingEvent } from '../../src/testing/index.js';
import { ApplicationError, StreamError } from '../../src/turn/errors.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { completed, text } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';
import { asked, call, called, ended, finished, requested, started } from '../support/runs.js';

const a = call('a');
const events: Record<string, RunEvent> = {
  t: text('Let me'),
  a: called(a),
  c: asked(),
  q: requested(a),
  s: started(a),
  f: finished('a', '1'),
  u: text("It's"),
  d: completed(),
  R: ended({ turns: 2 }),
  P: ended({ reason: 'pending' }),
};
const statuses = map(({ status }: RunState) => status);

describe('toRunState', () => {
  it('tells where the whole run stands, from the first value on', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<RunEvent>('-t-ac-q-s-f-u-(dR|)', events);
      const expected = '             ws-sr-a-r-w-s-(sc|)';
      expectObservable(source.pipe(toRunState(), statuses)).toBe(expected, {
        w: 'waiting',
        s: 'streaming',
        r: 'running_tools',
        a: 'awaiting_approval',
        c: 'completed',
      });
      expectSubscriptions(source.subscriptions).toBe('^-------------!');
    });
  });

  it('has a first value at once', () => {
    testScheduler().run(({ cold }) => {
      const state = { status: 'waiting', run: emptyRun, error: undefined, retry: undefined };
      expect(received(cold<RunEvent>('-').pipe(toRunState()))).toEqual([state]);
      expect(idleRunState).toEqual({ ...state, status: 'idle' });
    });
  });

  it('goes on from the run that is resumed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const earlier = [called(a), asked(), started(a), finished('a', '1'), text("It's")];
      const resume = earlier.reduce(reduceRun, emptyRun);
      const shown = cold<RunEvent>('-r-u(dR)', { ...events, r: restartingEvent() }).pipe(
        toRunState({ resume }),
        map(({ status, run: { steps } }) => [status, ...steps.map(({ turn }) => turn.text)].join(' ')),
      );
      expectObservable(shown.pipe(distinctUntilChanged())).toBe('sr-t(c', {
        s: "streaming  It's",
        r: 'restarting  ',
        t: "streaming  It's",
        c: "completed  It's",
      });
    });
  });

  it('makes an error a state that keeps what had come, with what was open cancelled', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const error = new StreamError();
      const source = cold<RunEvent>('(acs)--#', events, error);
      const shown = source.pipe(
        toRunState(),
        map(({ status, error, run }) => ({
          status,
          error,
          tools: run.steps[0]?.tools.map((tool) => tool.status),
        })),
      );
      expectObservable(shown).toBe('(wacs)-(e|)', {
        w: { status: 'waiting', error: undefined, tools: undefined },
        a: { status: 'streaming', error: undefined, tools: [] },
        c: { status: 'running_tools', error: undefined, tools: ['waiting'] },
        s: { status: 'running_tools', error: undefined, tools: ['running'] },
        e: { status: 'error', error, tools: ['cancelled'] },
      });
    });
  });

  it('makes an error that is not the library’s the cause of one', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const error = new RangeError('theirs');
      const shown = cold<RunEvent>('#', events, error).pipe(
        toRunState(),
        map(({ error }) => error?.cause ?? error?.name),
      );
      expectObservable(shown).toBe('(we|)', { w: undefined, e: error });
      expect(new ApplicationError(error).cause).toBe(error);
    });
  });

  it.each<[string, string, string]>([
    ['in a turn', '     -t|', 'ws(x|)'],
    ['while tools run', '-acs|', 'wsrr(x|)'],
    ['between turns', '  -acsf|', 'wsrrw(x|)'],
    ['before anything', ' -|', 'w(x|)'],
  ])('is stopped where the source completes early, %s', (_, source, expected) => {
    testScheduler().run(({ cold, expectObservable }) => {
      const values = { w: 'waiting', s: 'streaming', r: 'running_tools', x: 'stopped' };
      // What does not change the run gives no state, and each of these does.
      expectObservable(cold<RunEvent>(source, events).pipe(toRunState(), statuses)).toBe(expected, values);
    });
  });

  it('is stopped by stopWhen, in a turn and while tools run', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const values = { w: 'waiting', s: 'streaming', r: 'running_tools', x: 'stopped' };
      const source = cold<RunEvent>('-t-ac-s--f', events);
      const stop = cold('            -------x');
      expectObservable(source.pipe(stopWhen(stop), toRunState(), statuses)).toBe('ws-sr-r(x|)', values);
      expectSubscriptions(source.subscriptions).toBe(['^------!', '^-!']);
      const early = source.pipe(stopWhen(cold('--x')), toRunState(), statuses);
      expectObservable(early).toBe('ws(x|)', values);
    });
  });

  it('is pending where calls are left, and stays so', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const values = {
        w: 'waiting',
        s: 'streaming',
        r: 'running_tools',
        a: 'awaiting_approval',
        p: 'pending',
      };
      const source = cold<RunEvent>('-acqP-|', events);
      expectObservable(source.pipe(toRunState(), statuses)).toBe('wsrap-|', values);
    });
  });

  it('counts down to the next attempt of a turn, whose steps before stay', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const error = new StreamError();
      const restarting: RunEvent = { type: 'restarting', attempt: 1, delay: 20, error };
      const source = cold<RunEvent>('-a-c-s-f-u-r-u-(dR|)', { ...events, r: restarting });
      const shown = source.pipe(
        toRunState(),
        map(({ status, retry, run }) => [status, retry?.at, run.steps.length]),
      );
      expectObservable(shown).toBe('wa-c-s-f-u-r-u-(dR|)', {
        w: ['waiting', undefined, 0],
        a: ['streaming', undefined, 1],
        c: ['running_tools', undefined, 1],
        s: ['running_tools', undefined, 1],
        f: ['waiting', undefined, 1],
        u: ['streaming', undefined, 2],
        r: ['restarting', 31, 2],
        d: ['streaming', undefined, 2],
        R: ['completed', undefined, 2],
      });
    });
  });

  it('gives no state where nothing changes', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<RunEvent>('-t-k-u-|', { ...events, k: { type: 'chunk', chunk: {} } });
      const values = { w: 'waiting', s: 'streaming', x: 'stopped' };
      expectObservable(source.pipe(toRunState(), statuses)).toBe('ws---s-(x|)', values);
    });
  });
});
