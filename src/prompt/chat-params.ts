/**
 * Parameters of the request's body. Those of the OpenAI reference are typed; any other, such as a
 * provider's own, is sent as it is.
 *
 * @see {@link https://platform.openai.com/docs/api-reference/chat/create}
 */
export interface ChatParams {
  /** Give `options.model`. */
  readonly model?: never;
  /** Give a prompt, or a whole body to `streamChatRequest`. */
  readonly messages?: never;
  /** A turn is always streamed. */
  readonly stream?: never;

  /** The voice and the format of audio output, which `modalities` asks for. */
  readonly audio?:
    { readonly voice: string | { readonly id: string }; readonly format: string } | null | undefined;
  /** From -2 to 2: above 0, tokens become less likely the more often they were used. */
  readonly frequency_penalty?: number | null | undefined;
  /** From -100 (never) to 100 (only) for a token, by its id. */
  readonly logit_bias?: Readonly<Record<string, number>> | null | undefined;
  /** Sends the log probabilities of the output tokens: `includeChunks` shows them. */
  readonly logprobs?: boolean | null | undefined;
  /** The most tokens that may be generated, reasoning included. */
  readonly max_completion_tokens?: number | null | undefined;
  /** The older `max_completion_tokens`: deprecated at OpenAI, the only one that some providers know. */
  readonly max_tokens?: number | null | undefined;
  /** At most 16 pairs that are stored with the completion. */
  readonly metadata?: Readonly<Record<string, string>> | null | undefined;
  /** The kinds of output. Default at OpenAI: `['text']`. */
  readonly modalities?: readonly ('text' | 'audio' | (string & {}))[] | null | undefined;
  /** Moderates the input and the output. */
  readonly moderation?: { readonly model: string; readonly policy?: unknown } | null | undefined;
  /** How many choices to generate. */
  readonly n?: number | null | undefined;
  /** Text that most of the output is known to repeat, such as a file that is being edited. */
  readonly prediction?:
    | {
        readonly type: 'content';
        readonly content: string | readonly { readonly type: 'text'; readonly text: string }[];
      }
    | null
    | undefined;
  /** From -2 to 2: above 0, tokens that were used become less likely. */
  readonly presence_penalty?: number | null | undefined;
  /** Groups similar requests, so that more of them hit the prompt cache. */
  readonly prompt_cache_key?: string | null | undefined;
  /** Where the prompt cache breaks, and how long it is kept. */
  readonly prompt_cache_options?: { readonly mode?: string; readonly ttl?: string } | null | undefined;
  /** How long the prompt cache is kept; deprecated in favour of `prompt_cache_options`. */
  readonly prompt_cache_retention?: 'in_memory' | '24h' | (string & {}) | null | undefined;
  /** How much a model reasons before it answers; which values there are depends on it. */
  readonly reasoning_effort?:
    'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max' | (string & {}) | null | undefined;
  /** Stands for one of your users, without telling who it is. */
  readonly safety_identifier?: string | null | undefined;
  /** Asks for the same output for the same request; no provider promises it. */
  readonly seed?: number | null | undefined;
  /** What the request costs and how fast it is served. */
  readonly service_tier?:
    'auto' | 'default' | 'flex' | 'scale' | 'priority' | (string & {}) | null | undefined;
  /** Up to 4 texts at which the output ends. */
  readonly stop?: string | readonly string[] | null | undefined;
  /** Stores the completion at the provider. */
  readonly store?: boolean | null | undefined;
  /** `includeUsage` asks for the usage beside what is given here. */
  readonly stream_options?:
    | { readonly include_usage?: boolean; readonly include_obfuscation?: boolean }
    | Readonly<Record<string, unknown>>
    | null
    | undefined;
  /** From 0 to 2: the higher, the more random. */
  readonly temperature?: number | null | undefined;
  /** How many of the likeliest tokens to send at each place, 0 to 20; needs `logprobs`. */
  readonly top_logprobs?: number | null | undefined;
  /** From 0 to 1: only the likeliest tokens, whose probabilities add up to this much. */
  readonly top_p?: number | null | undefined;
  /** The older `safety_identifier` and `prompt_cache_key` in one. */
  readonly user?: string | null | undefined;
  /** How much a model writes. */
  readonly verbosity?: 'low' | 'medium' | 'high' | (string & {}) | null | undefined;
  /** Lets the model search the web. */
  readonly web_search_options?:
    { readonly search_context_size?: string; readonly user_location?: unknown } | null | undefined;

  readonly [param: string]: unknown;
}
