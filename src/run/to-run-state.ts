import { asyncScheduler, type OperatorFunction } from 'rxjs';
import { foldStates } from '../flow/fold-states.js';
import { type ToStateOptions, type TurnRetry } from '../operators/to-state.js';
import { asLibraryError, type ChatCompletionsError } from '../turn/errors.js';
import type { RunEvent } from '../turn/run-events.js';
import { emptyRun, endRun, reduceRun, type Run, type RunStatus } from './run.js';

/**
 * The state of a run for a user interface. `run` is the run so far, also after an error; `retry` is set while a
 * turn waits for its next attempt, `error` once the run has failed.
 *
 * The statuses are those of a `Run`, and:
 * - `'idle'`: nothing has been sent yet (`idleRunState` only)
 * - `'error'`: the run failed
 */
export type RunState =
  | {
      readonly status: 'idle' | Exclude<RunStatus, 'retrying' | 'restarting'>;
      readonly run: Run;
      readonly error: undefined;
      readonly retry: undefined;
    }
  | {
      readonly status: 'retrying' | 'restarting';
      readonly run: Run;
      readonly error: undefined;
      readonly retry: TurnRetry;
    }
  | {
      readonly status: 'error';
      readonly run: Run;
      readonly error: ChatCompletionsError;
      readonly retry: undefined;
    };

export interface ToRunStateOptions extends ToStateOptions {
  /** The run that `runTools({ resume })` continues: it is the first state. */
  readonly resume?: Run | undefined;
}

/** The state before anything is sent, for `initialValue` or `startWith`. */
export const idleRunState: RunState = /* @__PURE__ */ (() =>
  Object.freeze({ status: 'idle', run: emptyRun, error: undefined, retry: undefined } as const))();

/**
 * Emits the state of a run for a user interface, and never errors: an error becomes a state that keeps the
 * partial run.
 *
 * Made for Angular's `toSignal` and `async` pipe: the first state, `'waiting'`, is emitted synchronously, and
 * every state is an immutable snapshot in which unchanged parts are the same objects as before. The status is
 * for the whole run: it is never `'completed'` between two turns. If the source completes before the run is
 * over, the run counts as stopped.
 *
 * ```
 * source   --Let-me--(call completed started)--finished--It's--(completed run_completed|)
 *          toRunState()
 * result   w-s---s---(srr)---------------------w---------s-----(sc|)
 *
 * w: waiting, s: streaming, r: running_tools, c: completed
 * ```
 *
 * @example
 * ```ts
 * const states = questions.pipe(switchMap((question) => runTools(question, options).pipe(toRunState())));
 * const state = toSignal(states, { initialValue: idleRunState });
 * ```
 */
export function toRunState(options: ToRunStateOptions = {}): OperatorFunction<RunEvent, RunState> {
  const { scheduler = asyncScheduler, resume = emptyRun } = options;
  return foldStates<RunEvent, RunState>({
    first: stateOf(resume),
    after(state, event) {
      const run = reduceRun(state.run, event);
      if (event.type === 'retrying' || event.type === 'restarting') {
        const { type: status, attempt, delay, error } = event;
        return {
          status,
          run,
          error: undefined,
          retry: { attempt, delay, error, at: scheduler.now() + delay },
        };
      }
      return run === state.run ? state : stateOf(run);
    },
    ended: (state) => (state.run.reason === undefined ? stateOf(endRun(state.run)) : state),
    failed: ({ run }, error) => ({
      status: 'error',
      run: endRun(run),
      error: asLibraryError(error),
      retry: undefined,
    }),
  });
}

/** The state of a run that is not waiting for the next attempt of a turn. */
const stateOf = (run: Run): RunState => ({
  status: run.status === 'retrying' || run.status === 'restarting' ? 'waiting' : run.status,
  run,
  error: undefined,
  retry: undefined,
});
