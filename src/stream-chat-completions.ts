import { concatMap, Observable, throwError } from 'rxjs';
import {
  type ChatOptions,
  checkOptions,
  type Checks,
  openTurn,
  type OpenTurn,
  type TurnOptions,
} from './options.js';
import { chatRequest } from './prompt/chat-request.js';
import type { Prompt } from './prompt/prompt.js';
import { requestJson } from './prompt/request-json.js';
import { withoutUnsupported } from './prompt/unsupported.js';
import { retryWithBackoff, type RetryWithBackoffOptions } from './flow/retry-with-backoff.js';
import { sendRequest } from './request/send-request.js';
import { tellAttempts } from './request/tell-attempts.js';
import { readAnswer } from './response/read-answer.js';
import { reportTurn } from './turn/diagnostics.js';
import {
  type InvalidRequestError,
  isRequestFailure,
  RetryLimitError,
  UnexpectedStatusError,
} from './turn/errors.js';
import type { ResponseEvent, RetryingEvent } from './turn/events.js';

/**
 * One model turn as a cold Observable. Subscribe to send the request, unsubscribe to abort it at any point.
 * Each subscription is a separate request.
 *
 * ```
 * request   --429
 *                 --(retry-after)--200
 * stream                              --Hel--lo--[DONE]
 *           streamChatCompletions('Hi', options)
 * result    ----------------------------(Hel)--(lo)--(completed|)
 * ```
 *
 * @example
 * ```ts
 * streamChatCompletions('Why is the sky blue?', { model: 'gpt-4o-mini', provider: builtInProviders.openai })
 *   .pipe(textDeltas())
 *   .subscribe((text) => process.stdout.write(text));
 * ```
 *
 * @param prompt - a conversation; a string is one user message
 * @param options - the model, the provider, timeouts and limits
 * @returns the events of the turn, `completed` last. Errors are `ChatCompletionsError`s, except those of an
 * `apiKey` function or `admission`, which pass unchanged
 * @throws TypeError if an argument has the wrong type; the call throws nothing else
 */
export function streamChatCompletions(
  prompt: Prompt | string,
  options: ChatOptions,
): Observable<ResponseEvent> {
  return streamTurn(requestBody(prompt, options), options, options.params?.n);
}

/** The turn itself, for a request body that is already serialised and asks for `n` choices. */
export function streamTurn(
  body: string | InvalidRequestError,
  options: TurnOptions,
  n?: number | null,
): Observable<ResponseEvent> {
  return new Observable((subscriber) => {
    const turn = openTurn(options, n ?? 1);
    // admission -> key -> transport -> responseTimeout -> status: one subscription is one attempt
    const attempt = typeof body === 'string' ? sendRequest(body, turn) : throwError(() => body);
    return attempt
      .pipe(
        retryWithBackoff(retryOptions(turn, (event) => subscriber.next(event))), // RxJS retry({ delay })
        tellAttempts(turn.failures), // the last error lists those before it
        concatMap(readAnswer(turn)), // bytes -> server-sent events -> idle timeout -> ResponseEvents
        reportTurn(turn.log), // diagnostics
      )
      .subscribe(subscriber);
  });
}

/** Which failures are retried, and when: after `Retry-After`, else with backoff. */
function retryOptions(turn: OpenTurn, emit: (event: RetryingEvent) => void): RetryWithBackoffOptions {
  const { maxRetries, maxRetryAfter, scheduler, log } = turn;
  const { retry, includeRetries } = turn.options;
  return {
    ...retry,
    maxRetries,
    maxRetryAfter,
    scheduler,
    retryable: (error) =>
      error !== turn.ownError && isRequestFailure(error) && (retry?.retryable?.(error) ?? error.retryable),
    retryAfter: (error) => (error instanceof UnexpectedStatusError ? error.retryAfter : undefined),
    giveUp: (error) =>
      error instanceof UnexpectedStatusError
        ? new RetryLimitError(error, [...turn.failures, error], maxRetryAfter)
        : error,
    onRetry: ({ delay, error }) => {
      if (!isRequestFailure(error)) return;
      turn.failures.push(error);
      log.retry({ delay, error });
      if (includeRetries) emit({ type: 'retrying', attempt: turn.attempt, delay, error });
    },
  };
}

/** Checks the arguments and serialises the request body. Returns an error if the body cannot be serialised. */
export function requestBody(
  prompt: Prompt | string,
  options: ChatOptions,
  checks?: Checks,
): string | InvalidRequestError {
  checkOptions(options, checks);
  return requestJson(() => withoutUnsupported(chatRequest(prompt, options), options.provider.unsupported));
}
