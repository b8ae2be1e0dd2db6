import type { TokenUsage } from '../turn/events.js';
import type { Extras } from '../turn/extras.js';
import { testAnswer, tokenUsage } from './turn-events.js';

/** What a chunk says of the answer that it belongs to. */
export interface ChunkOptions {
  /** The answer's id. Default `'chatcmpl-test'`; `''`: none. */
  readonly id?: string;
  /** Default `'test-model'`; `''`: none. */
  readonly model?: string;
  /** Which of several choices; default 0. */
  readonly choice?: number;
}

/** An error as OpenAI and most others report it. */
export interface WireError {
  /** Default `'The provider failed.'` */
  readonly message?: string;
  /** Default `'server_error'`. */
  readonly type?: string;
  readonly code?: string | number | null;
}

/**
 * One server-sent event: text as it is, anything else as JSON. For what the other builders do not
 * write: a provider's quirks, and data that is no JSON.
 *
 * @example
 * ```ts
 * scriptedTransport({ body: [dataChunk('not JSON'), textChunk('Hi'), doneChunk()] });
 * ```
 */
export function dataChunk(data: unknown): string {
  const text = typeof data === 'string' ? data : (JSON.stringify(data) ?? 'null');
  return `${text
    .split(/\r\n|\r|\n/)
    .map((line) => `data: ${line}\n`)
    .join('')}\n`;
}

/** A chunk with the given fields. */
function chunk({ id = testAnswer.id, model = testAnswer.model }: ChunkOptions, fields: object): string {
  return dataChunk({
    ...(id !== '' && { id }),
    object: 'chat.completion.chunk',
    created: 0,
    ...(model !== '' && { model }),
    ...fields,
  });
}

/**
 * A chunk with a delta of one choice: for what the other builders do not write.
 *
 * @example
 * ```ts
 * deltaChunk({ annotations: [{ type: 'url_citation' }] });
 * ```
 */
export function deltaChunk(delta: Readonly<Record<string, unknown>>, options: ChunkOptions = {}): string {
  return chunk(options, { choices: [{ index: options.choice ?? 0, delta, finish_reason: null }] });
}

/**
 * The chunk that providers begin with: it says nothing yet.
 *
 * @example
 * ```ts
 * scriptedTransport({ body: [roleChunk(), textChunk('Hi'), finishChunk(), doneChunk()] });
 * ```
 */
export function roleChunk(options?: ChunkOptions): string {
  return deltaChunk({ role: 'assistant', content: '' }, options);
}

/**
 * A chunk with a piece of text.
 *
 * @example
 * ```ts
 * marbleTransport(helpers, [{ body: '-a-b-D|', frames: { a: textChunk('Hel'), b: textChunk('lo'), D: doneChunk() } }]);
 * ```
 */
export function textChunk(text: string, options?: ChunkOptions): string {
  return deltaChunk({ content: text }, options);
}

/**
 * A chunk with a piece of a refusal.
 *
 * @example
 * ```ts
 * scriptedTransport({ body: [refusalChunk('I cannot '), refusalChunk('do that.'), doneChunk()] });
 * ```
 */
export function refusalChunk(refusal: string, options?: ChunkOptions): string {
  return deltaChunk({ refusal }, options);
}

/** What a chunk of reasoning says of its answer, and the provider's own account of it. */
export interface ReasoningChunkOptions extends ChunkOptions {
  /** `reasoning_details` as OpenRouter sends them. */
  readonly details?: readonly unknown[];
  /** What else stands beside it, such as LiteLLM's `thinking_blocks`. */
  readonly extras?: Extras;
}

/**
 * A chunk with a piece of reasoning, as `reasoning_content`.
 *
 * @example
 * ```ts
 * scriptedTransport({ body: [reasoningChunk('Hm.'), textChunk('Yes.'), doneChunk()] });
 * ```
 */
export function reasoningChunk(text: string, options: ReasoningChunkOptions = {}): string {
  const { details = [] } = options;
  return deltaChunk(
    {
      ...options.extras,
      ...(text !== '' && { reasoning_content: text }),
      ...(details.length > 0 && { reasoning_details: details }),
    },
    options,
  );
}

/**
 * A chunk with the finish reason of one choice.
 *
 * @example
 * ```ts
 * scriptedTransport({ body: [textChunk('Once upon'), finishChunk('length'), doneChunk()] });
 * ```
 */
export function finishChunk(finishReason = 'stop', options: ChunkOptions = {}): string {
  return chunk(options, {
    choices: [{ index: options.choice ?? 0, delta: {}, finish_reason: finishReason }],
  });
}

/**
 * The chunk with the usage that `includeUsage` asks for. Figures that are left out are 0, and the total
 * is the sum.
 *
 * @example
 * ```ts
 * usageChunk({ inputTokens: 9, outputTokens: 3 });
 * ```
 */
export function usageChunk(usage: Partial<TokenUsage>, options: ChunkOptions = {}): string {
  const { inputTokens, cachedInputTokens, outputTokens, reasoningOutputTokens, totalTokens } =
    tokenUsage(usage);
  return chunk(options, {
    choices: [],
    usage: {
      prompt_tokens: inputTokens,
      completion_tokens: outputTokens,
      total_tokens: totalTokens,
      prompt_tokens_details: { cached_tokens: cachedInputTokens },
      completion_tokens_details: { reasoning_tokens: reasoningOutputTokens },
    },
  });
}

/**
 * The body of an answer whose status is an error.
 *
 * @example
 * ```ts
 * scriptedTransport({ status: 429, body: errorBody({ code: 'insufficient_quota' }) });
 * ```
 */
export function errorBody(error: WireError = {}): string {
  const { message = 'The provider failed.', type = 'server_error', code = null } = error;
  return JSON.stringify({ error: { message, type, param: null, code } });
}

/**
 * The chunk of an error inside a stream that had begun well.
 *
 * @example
 * ```ts
 * scriptedTransport({ body: [textChunk('Hel'), errorChunk({ code: 502 })] });
 * ```
 */
export function errorChunk(error?: WireError): string {
  return dataChunk(errorBody(error));
}

/**
 * A comment, such as the keep-alives that providers send while they think.
 *
 * @example
 * ```ts
 * scriptedTransport({ body: [commentChunk('PROCESSING'), textChunk('Hi'), doneChunk()] });
 * ```
 */
export function commentChunk(comment = ''): string {
  return `${comment
    .split(/\r\n|\r|\n/)
    .map((line) => `: ${line}\n`)
    .join('')}\n`;
}

/**
 * The mark of a complete stream.
 *
 * @example
 * ```ts
 * scriptedTransport({ body: [textChunk('Hi'), doneChunk()] });
 * ```
 */
export function doneChunk(): string {
  return dataChunk('[DONE]');
}
