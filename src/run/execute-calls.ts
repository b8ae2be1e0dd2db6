import { connect, filter, from, merge, mergeMap, type Observable, queueScheduler, subscribeOn } from 'rxjs';
import type { ToolCallItem } from '../turn/events.js';
import type { ToolEvent } from '../turn/run-events.js';
import { ToolError } from '../turn/tool-error.js';
import type { CallOptions } from './call-options.js';
import { executeCall } from './execute-call.js';
import { type ReadyCall, readyCall } from './ready-call.js';
import { failed } from './tool-finished.js';

/**
 * Executes calls, up to `concurrency` at a time. Approvals are requested at once, and do not count. A pending
 * call emits no `tool_finished`.
 *
 * ```
 * calls    (ab|)
 *          a executes --1--2|, b executes -3|
 * result   (AB)-3---1-(2|)             A, B: tool_started; 1: tool_progress; 2, 3: tool_finished
 * ```
 */
export function executeCalls(calls: readonly ToolCallItem[], options: CallOptions): Observable<ToolEvent> {
  return from(calls).pipe(
    filter(({ name }) => !options.ownTools.has(name)),
    mergeMap((call) => readyCall(call, options)),
    connect((steps) =>
      merge(
        steps.pipe(filter(isEvent)),
        steps.pipe(
          filter(isReady),
          // On a trampoline: thousands of synchronous tools must not overflow the stack.
          mergeMap(
            (ready) => executeCall(ready, options).pipe(subscribeOn(queueScheduler)),
            options.concurrency,
          ),
        ),
      ),
    ),
  );
}

const isReady = (step: ToolEvent | ReadyCall): step is ReadyCall => 'tool' in step;
const isEvent = (step: ToolEvent | ReadyCall): step is ToolEvent => !isReady(step);

/** Reports calls to the model that were cut off while it wrote them. */
export const cutCalls = (calls: readonly ToolCallItem[], options: CallOptions): Observable<ToolEvent> =>
  from(calls).pipe(
    mergeMap((call) => failed(call, new ToolError('incomplete_arguments', call), options, cutOff)),
  );

/** Reports calls to the model that were started by a process that has gone. */
export const lostCalls = (calls: readonly ToolCallItem[], options: CallOptions): Observable<ToolEvent> =>
  from(calls).pipe(
    mergeMap((call) => failed(call, new ToolError('outcome_unknown', call), options, outcomeUnknown)),
  );

const outcomeUnknown =
  'The tool was started, then the connection to it was lost. Whether it took effect is not known: find out before you call it again.';

const cutOff =
  'The call was cut off before its arguments were complete, so it was not executed. Repeat it, with shorter arguments if they were long.';
