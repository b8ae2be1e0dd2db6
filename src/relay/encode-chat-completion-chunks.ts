import { catchError, endWith, map, of, type OperatorFunction, pipe } from 'rxjs';
import { ChatCompletionsError } from '../turn/errors.js';
import type { ChatCompletionChunk } from './to-chat-completion-chunks.js';

/** An error inside a stream in OpenAI's format. */
export interface ChatCompletionStreamError {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

export interface EncodeChatCompletionChunksOptions {
  /**
   * What the client is told of an error. What is left out of `{ message, type, param, code }` is the
   * default: a message that says nothing of the cause, `'server_error'`, and the error's code where it is
   * a `ChatCompletionsError` that has one.
   */
  readonly toError?: ((error: unknown) => Partial<ChatCompletionStreamError>) | undefined;
}

/**
 * Chunks in OpenAI's format as the event stream (`text/event-stream`) that any OpenAI client reads:
 * `data: {…}` for each, and `data: [DONE]` at the end.
 *
 * An error of the source becomes an event with an `error`, without `[DONE]`, and completes the stream: the
 * status was sent long before. Nothing that a provider, the user or the model said stands in it.
 *
 * ```
 * source   --{Hel}----------------{lo}---------------|
 *          encodeChatCompletionChunks()
 * result   --'data: {Hel}\n\n'----'data: {lo}\n\n'---('data: [DONE]\n\n'|)
 * ```
 *
 * @example
 * ```ts
 * const demand = new Demand();
 * const answer = streamChatRequest(await request.json(), { provider, demand }).pipe(
 *   toChatCompletionChunks(),
 *   encodeChatCompletionChunks(),
 * );
 * return new Response(readableStreamFrom(answer, { demand }), { headers: { 'content-type': 'text/event-stream' } });
 * ```
 *
 * It errors only with what `toError` throws.
 */
export function encodeChatCompletionChunks(
  options: EncodeChatCompletionChunksOptions = {},
): OperatorFunction<ChatCompletionChunk | Readonly<Record<string, unknown>>, string> {
  const { toError = (): Partial<ChatCompletionStreamError> => ({}) } = options;
  return pipe(
    map((chunk) => data(JSON.stringify(chunk))),
    endWith(data('[DONE]')),
    catchError((error: unknown) => {
      const {
        message = 'The answer broke off.',
        type = 'server_error',
        param = null,
        code = codeOf(error),
      } = toError(error);
      return of(data(JSON.stringify({ error: { message, type, param, code } })));
    }),
  );
}

const data = (text: string): string => `data: ${text}\n\n`;

/** An identifier: a provider's prose is not told. */
function codeOf(error: unknown): string | null {
  if (!(error instanceof ChatCompletionsError)) return null;
  const { code }: ChatCompletionsError & { readonly code?: unknown } = error;
  return typeof code === 'string' && /^[\w.:/-]{1,64}$/.test(code) ? code : null;
}
