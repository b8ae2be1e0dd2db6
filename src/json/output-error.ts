import { ChatCompletionsError, hide } from '../turn/errors.js';
import type { SchemaIssue } from '../turn/schema.js';

/**
 * Why a turn gave no value:
 * - `'refused'`: the model refused to answer; its words are in `refusal`
 * - `'content_filter'`: the provider's filter cut the answer
 * - `'incomplete'`: the answer was cut by the token limit (`length`), by a finish reason that is not known, or by the end
 *   of the stream
 * - `'stopped'`: the caller stopped the turn, with `stopWhen()`
 * - `'tool_calls'`: the model called tools, and no turn followed that answered
 * - `'invalid_json'`: the answer is whole, and holds no JSON or JSON with an error
 * - `'several_values'`: the answer holds more than one JSON object or array
 * - `'too_large'`: the JSON has more than 1,000 levels or 1,000,000 values
 * - `'invalid_output'`: the value does not match the schema; `issues` says where
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
  content_filter: 'The answer was cut by a content filter.',
  incomplete: 'The answer was cut off before its JSON was complete.',
  stopped: 'The turn was stopped before its JSON was complete.',
  tool_calls: 'The model called tools instead of answering.',
  invalid_json: 'The answer is not valid JSON.',
  several_values: 'The answer holds more than one JSON value.',
  too_large: 'The JSON of the answer is nested too deeply or holds too many values.',
  invalid_output: 'The answer does not match the schema.',
};

/**
 * The turn ended, and its answer is not the value that was asked for.
 *
 * What to do: `code` says what is wrong. `reask()` asks again where the model can correct itself: after `invalid_json`,
 * `several_values` and `invalid_output`. After `incomplete`, raise the token limit.
 */
export class OutputError extends ChatCompletionsError {
  override get name() {
    return 'OutputError' as const;
  }
  readonly code: OutputErrorCode;
  /** Why the model stopped, as the provider wrote it; `null` while it is writing, and where it gave no reason. */
  readonly finishReason: string | null;
  /** What the schema objects to; empty with any other code. Not enumerable, since messages may quote the answer. */
  declare readonly issues: readonly SchemaIssue[];
  /** The text of the answer, as far as it came. Not enumerable. */
  declare readonly text: string;
  /** The model's words of refusal, `''` where it did not refuse. Not enumerable. */
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
