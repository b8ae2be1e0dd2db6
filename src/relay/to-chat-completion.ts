import {
  defer,
  identity,
  map,
  type MonoTypeOperatorFunction,
  type OperatorFunction,
  pipe,
  takeLast,
} from 'rxjs';
import { wholeItems } from '../operators/aggregate.js';
import { type EndedTurn, endedTurns } from '../operators/ended-turns.js';
import { IncompleteStreamError, isIncomplete } from '../operators/require-finish.js';
import { wholeTurns } from '../operators/whole-turns.js';
import type { ResponseEvent } from '../turn/events.js';
import { isWholeReason } from '../turn/finish-reason.js';
import type { RunEvent } from '../turn/run-events.js';
import type { TurnAnswer } from '../turn/turn.js';
import { asOneTurn } from './as-one-turn.js';
import { type ChatCompletionChunk, chunkWriter, type ChunkWriterOptions } from './chunk-writer.js';
import { ofTurn } from './of-turn.js';

/** A whole answer in OpenAI's format: what a request without `stream: true` is answered with. */
export interface ChatCompletion {
  readonly id: string;
  readonly object: 'chat.completion';
  /** Unix time in seconds. */
  readonly created: number;
  readonly model: string;
  readonly choices: readonly ChatCompletionChoice[];
  /** Absent if the turn has none. */
  readonly usage?: NonNullable<ChatCompletionChunk['usage']>;
}

export interface ChatCompletionChoice {
  readonly index: number;
  readonly message: ChatCompletionMessage;
  readonly logprobs: null;
  readonly finish_reason: string | null;
}

/** What the model said in one choice. */
export interface ChatCompletionMessage {
  readonly role: 'assistant';
  readonly content: string | null;
  readonly refusal: string | null;
  /** Not OpenAI's: the name that most providers use. */
  readonly reasoning_content?: string;
  /** Not OpenAI's: OpenRouter's account of the reasoning, as it came. */
  readonly reasoning_details?: readonly unknown[];
  /** Absent if there are none. */
  readonly tool_calls?: readonly ChatCompletionToolCall[];
  /** Not OpenAI's: what else the provider said beside the reasoning and wants back, as it came. */
  readonly [extra: string]: unknown;
}

/** A whole call, of a function or of a custom tool. */
export interface ChatCompletionToolCall {
  readonly id: string;
  readonly type: 'function' | 'custom';
  readonly function?: {
    readonly name: string;
    readonly arguments: string;
    readonly [extra: string]: unknown;
  };
  readonly custom?: { readonly name: string; readonly input: string; readonly [extra: string]: unknown };
  /** Not OpenAI's: what else the provider said of the call and wants back, as it came. */
  readonly [extra: string]: unknown;
}

export interface ToChatCompletionOptions extends Pick<ChunkWriterOptions, 'id' | 'model' | 'created'> {
  /** Whether the source is a run, of which the client gets one answer. Default `false`. */
  readonly run?: boolean | undefined;
}

/**
 * Turns the events of a turn into one whole completion in OpenAI's format, for clients that do not stream:
 * `toChatCompletionChunks()` for a request without `stream: true`.
 *
 * The completion is emitted when the source completes. It holds what an OpenAI client would put together from the chunks:
 * text, refusal, reasoning (`reasoning_content`), calls, several choices, finish reasons, usage, and what the provider wants
 * back. A call that `length` cut is left out. A source that ends without `completed` emits nothing; of several turns, the last
 * counts.
 *
 * Nothing is written before the end, so a turn may restart at any time: what `restarting` takes back is not in the completion.
 *
 * With `run: true` the source is a run, and the completion is one answer, by the rules of `toChatCompletionChunks()`.
 * Without it a run ends with a `TypeError` at its first event between turns.
 *
 * Errors as the source does, so that the client can be told a status; and with an `IncompleteStreamError` where
 * `toChatCompletionChunks()` would leave out `[DONE]`: the stream was cut, or a call that the finish reason calls whole.
 * A turn that `stopWhen()` stopped is what had come by then.
 *
 * ```
 * source   --Hel---lo---(completed|)
 *          toChatCompletion()
 * result   -------------({Hello}|)
 * ```
 *
 * @example
 * ```ts
 * const turn = streamChatRequest(await request.json(), { provider });
 * return Response.json(await lastValueFrom(turn.pipe(toChatCompletion())));
 * ```
 */
export function toChatCompletion(
  options: ToChatCompletionOptions & { readonly run: true },
): OperatorFunction<RunEvent, ChatCompletion>;
export function toChatCompletion(
  options?: ToChatCompletionOptions,
): OperatorFunction<ResponseEvent, ChatCompletion>;
export function toChatCompletion(
  options: ToChatCompletionOptions = {},
): OperatorFunction<RunEvent, ChatCompletion> {
  const { id, model, created, run = false } = options;
  // Whole turns first: a turn of a run can then restart without taking back the others.
  const inOneTurn: MonoTypeOperatorFunction<RunEvent> = run ? pipe(wholeTurns(), asOneTurn()) : identity;
  return (source) =>
    defer(() => {
      const writer = chunkWriter({ id, model, created });
      return source.pipe(
        inOneTurn,
        map((event) => ofTurn(event, 'toChatCompletion')),
        endedTurns(),
        takeLast(1),
        map((ended) => {
          if (isCut(ended)) throw new IncompleteStreamError(ended.turn);
          return completionOf(wholeItems(ended).flatMap((event) => writer.write(event)));
        }),
      );
    });
}

function isCut({ turn, event }: EndedTurn): boolean {
  if (event.stopped === true) return false;
  return isIncomplete(event) || [turn, ...turn.choices].some(hasCutCall);
}

/** Whether a call was cut although the finish reason calls the choice whole. */
const hasCutCall = ({ toolCalls, finishReason }: TurnAnswer): boolean =>
  isWholeReason(finishReason ?? 'stop') && toolCalls.some(({ item }) => item === undefined);

/** A choice so far. */
interface Choice {
  message: ChatCompletionMessage;
  readonly calls: ChatCompletionToolCall[];
  finishReason: string | null;
}

/** The completion that chunks of whole items make up: of a choice's fields only `tool_calls` comes more than once. */
function completionOf(chunks: readonly ChatCompletionChunk[]): ChatCompletion {
  const choices = new Map<number, Choice>();
  let usage: ChatCompletion['usage'];
  for (const chunk of chunks) {
    usage = chunk.usage ?? usage;
    for (const { index, delta, finish_reason: reason } of chunk.choices) {
      const { tool_calls: calls = [], ...fields } = delta;
      const choice = choices.get(index) ?? { message: nothingSaid, calls: [], finishReason: null };
      choices.set(index, choice);
      // Spread, since an assignment would give a field named `__proto__` its meaning.
      choice.message = { ...choice.message, ...fields };
      for (const { index: _, ...call } of calls) choice.calls.push(call as ChatCompletionToolCall);
      choice.finishReason = reason ?? choice.finishReason;
    }
  }
  // Every turn ends with a chunk, and the last knows the model.
  const { id, created, model } = chunks.at(-1) as ChatCompletionChunk;
  return {
    id,
    object: 'chat.completion',
    created,
    model,
    choices: [...choices].sort(([a], [b]) => a - b).map(choiceOf),
    ...(usage && { usage }),
  };
}

const nothingSaid: ChatCompletionMessage = { role: 'assistant', content: null, refusal: null };

const choiceOf = ([index, { message, calls, finishReason }]: [number, Choice]): ChatCompletionChoice => ({
  index,
  message: { ...message, ...(calls.length > 0 && { tool_calls: calls }) },
  logprobs: null,
  finish_reason: finishReason,
});
