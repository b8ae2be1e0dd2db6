import {
  catchError,
  concat,
  defer,
  ignoreElements,
  map,
  mergeMap,
  type Observable,
  of,
  take,
  takeUntil,
  tap,
  throwError,
} from 'rxjs';
import { timerOf } from '../flow/timers.js';
import type { ToolOutput } from '../turn/events.js';
import type { ToolEvent } from '../turn/run-events.js';
import { ToolError } from '../turn/tool-error.js';
import { writeJson } from '../turn/wire.js';
import type { CallOptions } from './call-options.js';
import type { ReadyCall } from './ready-call.js';
import { ToolProgress } from './tool.js';
import { failed, finished } from './tool-finished.js';
import { toolOutput } from './tool-output.js';
import { valuesOf } from './values-of.js';

/**
 * Executes one call: the tool's last value is the output, and earlier ones are progress.
 *
 * ```
 * execute   --1--2--3|
 * result    S----1--(2F)|      S: tool_started; 1, 2: tool_progress; F: tool_finished with 3
 * ```
 */
export function executeCall(
  { call, tool, args, changed }: ReadyCall,
  options: CallOptions,
): Observable<ToolEvent> {
  const { scheduler } = options;
  const { call_id: callId } = call;
  const limit = tool.timeout ?? options.toolTimeout;
  return defer(() => {
    const startedAt = scheduler.now();
    const duration = () => scheduler.now() - startedAt;
    const controller = new AbortController();
    let last: unknown;
    let hasLast = false;

    const timedOut = timerOf(limit, scheduler).pipe(
      mergeMap(() => throwError(() => new ToolError('timeout', call))),
    );
    /** Anything thrown fails this call, even an error of a run inside it. */
    const fail = (cause: unknown) => throwError(() => new ToolError('failed', call, { cause }));
    const allowed = defer(() => valuesOf(options.beforeTool?.(call))).pipe(
      take(1),
      ignoreElements(),
      catchError(fail),
    );
    const progress = defer(() =>
      valuesOf(tool.execute(args as never, { callId, signal: controller.signal })),
    ).pipe(
      tap({ unsubscribe: () => controller.abort() }),
      mergeMap((value: unknown) => {
        if (value instanceof ToolProgress) return [value.value];
        const before = hasLast ? [last] : [];
        last = value;
        hasLast = true;
        return before;
      }),
      catchError(fail),
      takeUntil(timedOut),
      map((value): ToolEvent => ({ type: 'tool_progress', callId, value })),
    );
    const end = defer(() => {
      const output = toolOutput(last);
      return output === undefined
        ? throwError(() => new ToolError('failed', call, { cause: new TypeError(unwritable) }))
        : of(finished(call, changed === undefined ? output : withNotice(output, changed), duration()));
    });
    return concat(
      of<ToolEvent>({ type: 'tool_started', call, ...(changed !== undefined && { arguments: changed }) }),
      concat(allowed, progress, end).pipe(
        catchError((thrown: unknown) => {
          const error = thrown as ToolError;
          const said = error.code === 'timeout' ? `The tool did not finish within ${limit} ms.` : undefined;
          return failed(call, error, options, said, duration());
        }),
      ),
    );
  });
}

const unwritable = 'Its output cannot be written as JSON.';

/** The call in the conversation stays as the model wrote it, because a signature is valid only for that. */
function withNotice(output: ToolOutput, changed: unknown): ToolOutput {
  const args = writeJson(changed) ?? 'others';
  const notice = `The user changed the arguments of this call to ${args}. Its output:`;
  return typeof output === 'string'
    ? `${notice}\n${output}`
    : [{ type: 'input_text', text: notice }, ...output];
}
