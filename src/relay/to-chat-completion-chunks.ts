import {
  catchError,
  concatMap,
  concatWith,
  defer,
  EMPTY,
  identity,
  map,
  type MonoTypeOperatorFunction,
  of,
  type OperatorFunction,
} from 'rxjs';
import type { ResponseEvent } from '../turn/events.js';
import type { RunEvent } from '../turn/run-events.js';
import { asOneTurn } from './as-one-turn.js';
import { chunkWriter, type ChunkWriterOptions } from './chunk-writer.js';
import { ofTurn } from './of-turn.js';
import type { ServerSentMessage } from './server-sent-message.js';
import { endMark, publicFields, readReport } from './server-sent-protocol.js';

/** An error inside a stream in OpenAI's format. */
export interface ChatCompletionStreamError {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

export interface ToChatCompletionChunksOptions extends ChunkWriterOptions {
  /**
   * What the client is told about an error. What it leaves out of `{ message, type, param, code }` is the
   * default: a message that says nothing about the cause, `'server_error'`, and the error's code if it is
   * a `ChatCompletionsError` that has one.
   */
  readonly toError?: ((error: unknown) => Partial<ChatCompletionStreamError>) | undefined;
  /** Whether the source is a run, of which the client gets one answer. Default `false`. */
  readonly run?: boolean | undefined;
}

/**
 * Turns the events of a turn into server-sent events in OpenAI's format, so that a backend can stand
 * between any OpenAI client and a provider: the inverse of `decodeChatCompletions()`. A client that does not stream is answered
 * with `toChatCompletion()`.
 *
 * Each message is a chunk as JSON; the last is `[DONE]`, but after a stream that was cut (`endedBy: 'eof'`, or a call that is
 * still open). The deltas of a call that was cut are written by then: its choice gets no finish reason that calls it whole. Text, refusals, reasoning (`reasoning_content`),
 * calls, several choices, finish reasons and usage are written as they come, each character once: a call's
 * arguments as deltas, and of the whole call only what is not written yet. What a provider wants back (`extras`,
 * `reasoning_details`) is written where it stood, so that a client that returns it can be answered. `chunk` and `retrying` events
 * are left out: raw chunks would bring back what operators have changed.
 *
 * With `run: true` the source is a run, whose tools the client knows nothing of: the text and the reasoning of all its turns
 * are one answer, with nothing between them, and there is one finish reason and one usage. Calls that the run executes,
 * or that wait for an approval, are not written. Calls of the prompt's own tools are, whole, at its end, with
 * `tool_calls`: they are the client's to execute. Of a run that reached `maxTurns` the finish reason is `length`. Without `run: true` a run ends with
 * an error at its first event between turns, since its calls are written by then.
 *
 * If the source errors, or is `restarting` after a part of the answer was written, the last message is an `error`
 * instead of `[DONE]`, and then the stream completes:
 * the status was sent long before. It says nothing that a provider, the user or the model said.
 *
 * ```
 * source   --Hel-------------lo------------(completed|)
 *          toChatCompletionChunks()
 * result   --{data: {Hel}}---{data: {lo}}--({data: {stop}}{data: '[DONE]'}|)
 * ```
 *
 * @example
 * ```ts
 * const demand = new Demand();
 * const text = streamChatRequest(await request.json(), { provider, demand }).pipe(
 *   toChatCompletionChunks(),
 *   encodeEventStream(),
 * );
 * return new Response(readableStreamFrom(text, { demand }), { headers: { 'content-type': 'text/event-stream' } });
 * ```
 *
 * Errors only with what `toError` throws.
 */
export function toChatCompletionChunks(
  options: ToChatCompletionChunksOptions & { readonly run: true },
): OperatorFunction<RunEvent, ServerSentMessage>;
export function toChatCompletionChunks(
  options?: ToChatCompletionChunksOptions,
): OperatorFunction<ResponseEvent, ServerSentMessage>;
export function toChatCompletionChunks(
  options: ToChatCompletionChunksOptions = {},
): OperatorFunction<RunEvent, ServerSentMessage> {
  const { toError = () => ({}), run = false } = options;
  const inOneTurn: MonoTypeOperatorFunction<RunEvent> = run ? asOneTurn() : identity;
  const message = (value: unknown): ServerSentMessage => ({ data: JSON.stringify(value) });
  return (source) =>
    defer(() => {
      const writer = chunkWriter(options);
      return source.pipe(
        inOneTurn,
        concatMap((event) => writer.write(ofTurn(event, 'toChatCompletionChunks'))),
        map(message),
        concatWith(defer(() => (writer.isCut() ? EMPTY : of({ data: endMark })))),
        catchError((error: unknown) => of(message({ error: whole(toError(error), error) }))),
      );
    });
}

/** What the client is told, defaults included. A code is an identifier; a provider's prose is not told. */
function whole(told: Partial<ChatCompletionStreamError>, error: unknown): ChatCompletionStreamError {
  const {
    message = 'The answer broke off.',
    type = 'server_error',
    param = null,
    code = readReport(publicFields(error)).code ?? null,
  } = told;
  return { message, type, param, code };
}
