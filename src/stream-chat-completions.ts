import {
  asyncScheduler,
  catchError,
  concatMap,
  defer,
  identity,
  map,
  type MonoTypeOperatorFunction,
  Observable,
  tap,
  throwIfEmpty,
} from 'rxjs';
import { turnDemand } from './flow/demand.js';
import { diagnose } from './turn/diagnostics.js';
import {
  ChatCompletionsError,
  type RequestFailure,
  RetryLimitError,
  StreamError,
  TransportError,
  UnexpectedStatusError,
} from './turn/errors.js';
import type { ResponseEvent } from './turn/events.js';
import { type ChatOptions, checkOptions, limitsOf, type TurnOptions } from './options.js';
import { chatRequest } from './prompt/chat-request.js';
import type { Prompt } from './prompt/prompt.js';
import { resolveApiKey } from './provider/api-key.js';
import { endpointOf } from './provider/endpoint.js';
import { checkStatus } from './request/check-status.js';
import { fetchTransport } from './request/fetch-transport.js';
import { responseTimeout } from './request/response-timeout.js';
import { retryWithBackoff } from './request/retry-with-backoff.js';
import { causeWithoutSecrets, redactor } from './request/secrets.js';
import type { HttpRequest } from './request/transport.js';
import { bodyReader } from './response/body-reader.js';
import { decodeAnswer } from './response/decode-answer.js';

/**
 * One model turn as a cold Observable: subscribing sends the request, unsubscribing aborts it wherever
 * it stands, and each subscription is a turn of its own.
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
 * @param prompt - a conversation; a string is one message of the user
 * @param options - the model, the provider, and every limit
 * @returns the events of the turn, `completed` last. Errors are `ChatCompletionsError`s, except what an
 * `apiKey` function fails with, which passes unchanged
 * @throws TypeError where an argument is of the wrong type; nothing else is thrown by the call
 */
export function streamChatCompletions(
  prompt: Prompt | string,
  options: ChatOptions,
): Observable<ResponseEvent> {
  return streamTurn(requestBody(prompt, options), options);
}

/** The body of a prompt's request, once the arguments have been checked. */
export function requestBody(prompt: Prompt | string, options: ChatOptions): string {
  checkOptions(options);
  const { sendReasoning = options.provider.sendReasoning } = options;
  return JSON.stringify(chatRequest(prompt, { ...options, sendReasoning }));
}

/** The turn itself, for a request whose body is written already. */
export function streamTurn(body: string, options: TurnOptions): Observable<ResponseEvent> {
  const {
    provider,
    transport = fetchTransport(),
    retry,
    includeRetries,
    idleOn,
    scheduler = asyncScheduler,
  } = options;
  const limits = limitsOf(options);

  return new Observable<ResponseEvent>((subscriber) => {
    const log = options.diagnostics && diagnose(options.diagnostics);
    const demand = options.demand && turnDemand(options.demand, scheduler);
    let attempt = 0;

    let keyError: unknown;

    const answer = defer(() => resolveApiKey(provider)).pipe(
      tap({ error: (error: unknown) => (keyError = error) }),
      concatMap((key) => {
        const endpoint = endpointOf(provider, key);
        const request: HttpRequest = {
          ...endpoint,
          method: 'POST',
          body,
          ...(demand && { demand: demand.ask }),
        };
        const redact = redactor(endpoint, key);
        attempt += 1;
        log?.request(request);
        return defer(() => transport(request)).pipe(
          throwIfEmpty(),
          otherErrors((cause) => new TransportError({ cause: causeWithoutSecrets(cause, redact) })),
          responseTimeout(limits.responseTimeout, scheduler),
          log ? tap((response) => log.response(response, redact)) : identity,
          checkStatus({
            needsBody: ({ retryAfter = 0 }) =>
              attempt > limits.maxRetries ||
              retryAfter > limits.maxRetryAfter ||
              retry?.retryable !== undefined,
            redact,
            scheduler,
          }),
          map((response) => ({ response, redact })),
        );
      }),
    );

    const events = answer.pipe(
      retryWithBackoff({
        ...retry,
        ...limits,
        scheduler,
        retryable: (error) =>
          error !== keyError && isRequestFailure(error) && (retry?.retryable?.(error) ?? error.retryable),
        retryAfter: (error) => (error instanceof UnexpectedStatusError ? error.retryAfter : undefined),
        giveUp: (error, attempts) =>
          error instanceof UnexpectedStatusError ? new RetryLimitError(error, attempts) : error,
        onRetry: ({ delay, error }) => {
          if (!isRequestFailure(error)) return;
          log?.retry({ delay, error });
          if (includeRetries) subscriber.next({ type: 'retrying', attempt, delay, error });
        },
      }),
      concatMap(({ response: { status, headers, body: bytes }, redact }) =>
        bytes.pipe(
          otherErrors((cause) => new StreamError({ cause: causeWithoutSecrets(cause, redact) })),
          decodeAnswer(
            () =>
              bodyReader({
                status,
                contentType: headers.get('content-type'),
                maxEventSize: options.maxEventSize,
                redact,
                onComment: log?.comment,
              }),
            {
              idleTimeout: limits.idleTimeout,
              idleOn,
              idleClock: demand?.clock,
              scheduler,
              redact,
              includeChunks: options.includeChunks,
              onEvents: log?.events,
              onMalformed: log?.malformed,
              onEnd: () => demand?.end(),
            },
          ),
        ),
      ),
    );

    return events
      .pipe(
        log
          ? tap({
              next: ({ type }) => type === 'completed' && log.end('completed'),
              complete: () => log.end('completed'),
              error: (error: unknown) => log.end('error', error),
              unsubscribe: () => log.end('unsubscribed'),
            })
          : identity,
      )
      .subscribe(subscriber);
  });
}

const isRequestFailure = (error: unknown): error is RequestFailure =>
  error instanceof UnexpectedStatusError || error instanceof TransportError;

/** Gives an error that is not the library's own the type that stands for its place. */
function otherErrors<T>(wrap: (error: unknown) => ChatCompletionsError): MonoTypeOperatorFunction<T> {
  return catchError((error: unknown) => {
    throw error instanceof ChatCompletionsError ? error : wrap(error);
  });
}
