import { ChatCompletionsError, hide } from './errors.js';
import type { SchemaIssue } from './schema.js';

/**
 * Why a call has no output from its tool:
 * - `'unknown_tool'`: there is no tool with that name
 * - `'incomplete_arguments'`: the call was cut off while the model wrote its arguments
 * - `'invalid_arguments'`: the arguments are not JSON, or do not match the tool's schema
 * - `'rejected'`: the approval was refused
 * - `'timeout'`: the tool took too long
 * - `'failed'`: the tool failed, or returned a value that cannot be sent
 * - `'cancelled'`: the run ended before the tool did
 * - `'outcome_unknown'`: the process that executed the tool has gone, and the tool is not `idempotent`
 */
export type ToolErrorCode =
  | 'unknown_tool'
  | 'incomplete_arguments'
  | 'invalid_arguments'
  | 'rejected'
  | 'timeout'
  | 'failed'
  | 'cancelled'
  | 'outcome_unknown';

const sayings: Readonly<Record<ToolErrorCode, string>> = {
  unknown_tool: 'The model called a tool that does not exist.',
  incomplete_arguments: 'A tool call was cut off before its arguments were complete.',
  invalid_arguments: 'The arguments of a tool call do not match its schema.',
  rejected: 'A tool call was rejected.',
  timeout: 'A tool took too long.',
  failed: 'A tool failed.',
  cancelled: 'A tool call was cancelled.',
  outcome_unknown: 'A tool was started, and its outcome is unknown.',
};

/**
 * A call that failed. It is reported to the model or, with `toolError: 'fail'`, ends the run.
 *
 * What to do: see `code`; `cause` is the tool's own error, and `issues` are those of its schema.
 */
export class ToolError extends ChatCompletionsError {
  override get name() {
    return 'ToolError' as const;
  }
  readonly code: ToolErrorCode;
  readonly callId: string;
  /** The name of the tool that the model called. Not enumerable. */
  declare readonly toolName: string;
  /** The schema's issues with the arguments. Not enumerable, since their messages may quote the arguments. */
  declare readonly issues: readonly SchemaIssue[];

  constructor(
    code: ToolErrorCode,
    call: { readonly call_id: string; readonly name: string },
    options: { readonly issues?: readonly SchemaIssue[]; readonly cause?: unknown } = {},
  ) {
    super(sayings[code], options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.callId = call.call_id;
    hide(this, 'toolName', call.name);
    hide(this, 'issues', options.issues ?? []);
  }
}
