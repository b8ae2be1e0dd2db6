import type { Observable } from 'rxjs';
import type { ResponseEvent } from './turn/events.js';
import { checkOptions, turnChecks, type TurnOptions } from './options.js';
import { streamOptions } from './prompt/chat-request.js';
import { requestJson } from './prompt/request-json.js';
import { streamTurn } from './stream-chat-completions.js';

/**
 * The body of a Chat Completions request, such as a `ChatCompletionCreateParams` of the `openai` package. Only
 * the fields below are read.
 */
export interface ChatRequestBody {
  readonly model: string;
  readonly messages: readonly unknown[];
  /** Set by the turn; `false` is an error. */
  readonly stream?: boolean | null | undefined;
  readonly stream_options?: unknown;
  readonly n?: number | null | undefined;
}

/**
 * `streamChatCompletions` for when you already have a request body (`messages: [...]`). It is sent as it is,
 * with `stream: true`.
 *
 * ```
 * request   --200
 * stream         --Hel--lo--[DONE]
 *           streamChatRequest(body, options)
 * result    --------(Hel)--(lo)--(completed|)
 * ```
 *
 * @example
 * ```ts
 * const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }] };
 * streamChatRequest(body, { provider: builtInProviders.openai }).pipe(textDeltas()).subscribe(console.log);
 * ```
 *
 * @returns the events and errors of `streamChatCompletions`
 * @throws TypeError if an argument has the wrong type
 */
export function streamChatRequest<Body extends ChatRequestBody>(
  body: Body,
  options: TurnOptions,
): Observable<ResponseEvent> {
  checkOptions(options, turnChecks);
  if (
    typeof body !== 'object' ||
    body === null ||
    typeof body.model !== 'string' ||
    !Array.isArray(body.messages)
  ) {
    throw new TypeError('body must be an object with a model and an array of messages.');
  }
  if (body.stream === false) throw new TypeError('body.stream must not be false: a turn is always streamed.');
  const includesUsage = !options.provider.unsupported?.includes('stream_options');
  const json = requestJson(() => ({
    ...body,
    stream: true,
    ...(includesUsage && streamOptions(body, options)),
  }));
  return streamTurn(json, options, body.n);
}
