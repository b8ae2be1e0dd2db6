import { catchError, from, type MonoTypeOperatorFunction, type ObservableInput } from 'rxjs';
import { assistantMessage, type Prompt, promptOf, userMessage } from '../prompt/prompt.js';
import { withAttempts } from '../turn/errors.js';
import { describeIssues } from '../turn/schema.js';
import { OutputError, type OutputErrorCode } from './output-error.js';

/**
 * Asks a second time if the model's value is invalid, with the output and its issues appended to the prompt. If
 * the second value is invalid too, its error passes.
 *
 * It asks again after an {@link OutputError} with code `invalid_json`, `several_values` or `invalid_output`. A
 * refusal, a filter or a token limit would only recur, so any other error passes.
 *
 * ```
 * source   ---#                             OutputError: invalid_output
 *          reask(prompt, ask)
 * ask         ------({ city: 'Rome' }|)     its prompt ends with the first answer and "/city: expected string"
 * result   ---------({ city: 'Rome' }|)
 * ```
 *
 * @example
 * ```ts
 * const ask = (prompt: Prompt | string) =>
 *   streamChatCompletions(prompt, { ...options, responseFormat: jsonFormat(City) }).pipe(toJson(City));
 *
 * ask('The largest city of Italy?')
 *   .pipe(reask('The largest city of Italy?', ask))
 *   .subscribe(({ name }) => console.log(name));
 * ```
 *
 * @param prompt - the original prompt
 * @param ask - runs the second turn
 */
export function reask<T>(
  prompt: Prompt | string,
  ask: (prompt: Prompt) => ObservableInput<T>,
): MonoTypeOperatorFunction<T> {
  return catchError((error: unknown) => {
    const complaint = error instanceof OutputError ? complaints[error.code] : undefined;
    if (!(error instanceof OutputError) || complaint === undefined) throw error;
    return from(ask(withComplaint(prompt, error, complaint))).pipe(
      catchError((second: unknown) => {
        throw withAttempts(second, [error]);
      }),
    );
  });
}

/** The correction request for the model, by code. */
const complaints: { readonly [Code in OutputErrorCode]?: string } = {
  invalid_json: 'Your answer is not valid JSON.',
  several_values: 'Your answer holds more than one JSON value.',
  invalid_output: 'Your answer does not match the schema:',
};

function withComplaint(prompt: Prompt | string, { text, issues }: OutputError, complaint: string): Prompt {
  const asked = promptOf(prompt);
  const told = [complaint, describeIssues(issues), 'Answer again with the corrected JSON alone.'];
  return {
    ...asked,
    input: [
      ...asked.input,
      ...(text.trim() === '' ? [] : [assistantMessage(text)]),
      userMessage(told.filter(Boolean).join('\n')),
    ],
  };
}
