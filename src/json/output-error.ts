import { ChatCompletionsError, hide } from '../turn/errors.js';
import type { SchemaIssue } from '../turn/schema.js';

/**
 * Why a turn has no value:
 * - `'refused'`: the model refused to answer; see `refusal`
 * - `'content_filter'`: the provider's filter cut off the output
 * - `'incomplete'`: the output was cut off by the token limit (`length`), an unknown finish reason, or the end
 *   of the stream
 * - `'stopped'`: the caller stopped the turn, with `stopWhen()`
 * - `'tool_calls'`: the model called tools, and no later turn answered
 * - `'invalid_json'`: the output is complete, but has no JSON or invalid JSON
 * - `'several_values'`: the output has more than one JSON object or array
 * - `'too_large'`: the JSON has more than 1,000 levels or 1,000,000 values
 * - `'invalid_output'`: the value does not match the schema; see `issues`
 */
export type OutputErrorCode =
  | 'refused'
  | 'content_filter'
  | 'incomplete'
  | 'stopped'
  | 'tool_calls'
  | 'invalid_json'
  | 'several_values'
  | 'too_large'
  | 'invalid_output';

const sayings: Readonly<Record<OutputErrorCode, string>> = {
  refused: 'The model refused to answer.',
  content_filter: 'A content filter cut off the output.',
  incomplete: 'The output was cut off before its JSON was complete.',
  stopped: 'The turn was stopped before its JSON was complete.',
  tool_calls: 'The model called tools instead of answering.',
  invalid_json: 'The output is not valid JSON.',
  several_values: 'The output contains more than one JSON value.',
  too_large: 'The JSON output is nested too deeply or has too many values.',
  invalid_output: 'The output does not match the schema.',
};

/**
 * The turn ended without a valid value.
 *
 * What to do: see `code`. `reask()` asks again if the model can correct itself: after `invalid_json`,
 * `several_values` and `invalid_output`. After `incomplete`, raise the token limit.
 */
export class OutputError extends ChatCompletionsError {
  override get name() {
    return 'OutputError' as const;
  }
  readonly code: OutputErrorCode;
  /** Why the model stopped, as the provider wrote it; `null` before the end, or if there was no reason. */
  readonly finishReason: string | null;
  /** The schema's issues; empty for other codes. Not enumerable, since their messages may quote the output. */
  declare readonly issues: readonly SchemaIssue[];
  /** The text so far. Not enumerable. */
  declare readonly text: string;
  /** The model's refusal; `''` if it did not refuse. Not enumerable. */
  declare readonly refusal: string;

  constructor(
    code: OutputErrorCode,
    answer: { readonly text: string; readonly refusal: string; readonly finishReason: string | null },
    issues: readonly SchemaIssue[] = [],
  ) {
    super(sayings[code]);
    this.code = code;
    this.finishReason = answer.finishReason;
    hide(this, 'issues', issues);
    hide(this, 'text', answer.text);
    hide(this, 'refusal', answer.refusal);
  }
}
