import { type Observable, of, throwError } from 'rxjs';
import { propertyOf } from '../turn/errors.js';
import type { ToolCallItem, ToolOutput } from '../turn/events.js';
import type { ToolFinishedEvent } from '../turn/run-events.js';
import { describeIssues } from '../turn/schema.js';
import type { ToolError } from '../turn/tool-error.js';
import type { CallOptions } from './call-options.js';

/** A call that is over. */
export const finished = (
  call: ToolCallItem,
  output: ToolOutput,
  duration = 0,
  error?: ToolError,
): ToolFinishedEvent => ({
  type: 'tool_finished',
  callId: call.call_id,
  output,
  duration,
  ...(error !== undefined && { error }),
});

/** A call that failed: it is reported to the model, or fails the run. */
export const failed = (
  call: ToolCallItem,
  error: ToolError,
  { toolError }: Pick<CallOptions, 'toolError'>,
  said = saying(error),
  duration = 0,
): Observable<ToolFinishedEvent> =>
  toolError === 'fail' ? throwError(() => error) : of(finished(call, said, duration, error));

/** The output of a failed call, for the model. */
function saying({ code, issues, cause }: ToolError): string {
  if (code === 'invalid_arguments') return `Invalid arguments.\n${describeIssues(issues)}`.trimEnd();
  const message = propertyOf(cause, 'message');
  return typeof message === 'string' && message !== ''
    ? `The tool failed: ${message.slice(0, longestMessage)}`
    : 'The tool failed.';
}

/** In characters. */
const longestMessage = 2_000;
