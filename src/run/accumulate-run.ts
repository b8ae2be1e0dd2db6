import { type OperatorFunction, pipe, scan, startWith } from 'rxjs';
import type { RunEvent } from '../turn/run-events.js';
import { emptyRun, reduceRun, type Run } from './run.js';

/**
 * Emits the run so far: an empty one at once, then an immutable snapshot for each event. After an error or an
 * unsubscribe, the last snapshot holds the partial run.
 *
 * ```
 * source   ---It's--(completed run_completed|)
 *          accumulateRun()
 * result   e--I-----(IC|)
 *
 * e: { status: 'waiting', steps: [] }     I: { status: 'streaming', steps: [{ turn, tools: [] }] }
 * C: { status: 'completed', reason: 'answered', ... }
 * ```
 *
 * @example
 * ```ts
 * run.pipe(accumulateRun(), last()).subscribe((run) => conversation.push(...runItems(run)));
 * ```
 *
 * @see {@link reduceRun}, the fold behind it
 */
export function accumulateRun(): OperatorFunction<RunEvent, Run> {
  return pipe(scan(reduceRun, emptyRun), startWith(emptyRun));
}
