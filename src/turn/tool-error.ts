import { ChatCompletionsError, hide } from './errors.js';
import type { SchemaIssue } from './schema.js';

/**
 * Why a call gave no output of its tool:
 * - `'unknown_tool'`: there is no tool of that name
 * - `'incomplete_arguments'`: the call was cut while its arguments were being written
 * - `'invalid_arguments'`: the arguments are not JSON, or do not match the tool's schema
 * - `'rejected'`: the approval was refused
 * - `'timeout'`: the tool took too long
 * - `'failed'`: the tool failed, or gave something that cannot be sent
 * - `'cancelled'`: the run ended before the tool did
 * - `'outcome_unknown'`: whoever executed the tool has gone, and it is not `idempotent`
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
  outcome_unknown: 'A tool was started, and its outcome is not known.',
};

/**
 * A call that failed. The model is told, unless the run has `toolError: 'fail'`: then it ends the run.
 *
 * What to do: `code` says what is wrong; `cause` is what the tool failed with, and `issues` what its schema objects to.
 */
export class ToolError extends ChatCompletionsError {
  override get name() {
    return 'ToolError' as const;
  }
  readonly code: ToolErrorCode;
  readonly callId: string;
  /** The tool, by the name that the model called. Not enumerable. */
  declare readonly toolName: string;
  /** What the schema objects to in the arguments. Not enumerable, since messages may quote them. */
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
