/**
 * Parameters of the request body. Those in the OpenAI reference are typed; any other, such as a
 * provider's own, is sent unchanged.
 *
 * @see {@link https://platform.openai.com/docs/api-reference/chat/create}
 */
export interface ChatParams {
  /** Use `options.model`. */
  readonly model?: never;
  /** Use the prompt, or `streamChatRequest`, which takes a whole body. */
  readonly messages?: never;
  /** A turn is always streamed. */
  readonly stream?: never;

  /** Voice and format of audio output, which `modalities` requests. */
  readonly audio?:
    { readonly voice: string | { readonly id: string }; readonly format: string } | null | undefined;
  /** From -2 to 2. Positive values make a token less likely each time it is used. */
  readonly frequency_penalty?: number | null | undefined;
  /** Bias of single tokens by token id, from -100 (banned) to 100 (forced). */
  readonly logit_bias?: Readonly<Record<string, number>> | null | undefined;
  /** Returns the log probabilities of the output tokens; read them with `includeChunks`. */
  readonly logprobs?: boolean | null | undefined;
  /** Maximum number of tokens to generate, reasoning included. */
  readonly max_completion_tokens?: number | null | undefined;
  /** Deprecated by OpenAI in favour of `max_completion_tokens`, which some other providers lack. */
  readonly max_tokens?: number | null | undefined;
  /** Up to 16 key-value pairs to store with the completion. */
  readonly metadata?: Readonly<Record<string, string>> | null | undefined;
  /** Output types, such as `['text', 'audio']`. */
  readonly modalities?: readonly ('text' | 'audio' | (string & {}))[] | null | undefined;
  /** Runs moderation on the input and the output. */
  readonly moderation?: { readonly model: string; readonly policy?: unknown } | null | undefined;
  /** How many choices to generate. */
  readonly n?: number | null | undefined;
  /** Output that is largely known in advance, such as a file being edited. */
  readonly prediction?:
    | {
        readonly type: 'content';
        readonly content: string | readonly { readonly type: 'text'; readonly text: string }[];
      }
    | null
    | undefined;
  /** From -2 to 2. Positive values make tokens that were already used less likely. */
  readonly presence_penalty?: number | null | undefined;
  /** Groups similar requests to raise the hit rate of the prompt cache. */
  readonly prompt_cache_key?: string | null | undefined;
  /** Breakpoints and lifetime of the prompt cache. */
  readonly prompt_cache_options?: { readonly mode?: string; readonly ttl?: string } | null | undefined;
  /** Lifetime of the prompt cache. Deprecated by OpenAI in favour of `prompt_cache_options`. */
  readonly prompt_cache_retention?: 'in_memory' | '24h' | (string & {}) | null | undefined;
  /** How much to reason before answering. The supported values depend on the model. */
  readonly reasoning_effort?:
    'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max' | (string & {}) | null | undefined;
  /** A stable, anonymous id of your user, to detect abuse. */
  readonly safety_identifier?: string | null | undefined;
  /** Requests deterministic sampling, without a guarantee. */
  readonly seed?: number | null | undefined;
  /** Processing tier: its price and speed. */
  readonly service_tier?:
    'auto' | 'default' | 'flex' | 'scale' | 'priority' | (string & {}) | null | undefined;
  /** Up to 4 sequences at which generation stops. */
  readonly stop?: string | readonly string[] | null | undefined;
  /** Whether the provider stores the completion. */
  readonly store?: boolean | null | undefined;
  /** Merged with what `includeUsage` sets. */
  readonly stream_options?:
    | { readonly include_usage?: boolean; readonly include_obfuscation?: boolean }
    | Readonly<Record<string, unknown>>
    | null
    | undefined;
  /** Sampling temperature, from 0 to 2. Higher is more random. */
  readonly temperature?: number | null | undefined;
  /** How many likely tokens to return at each position, from 0 to 20. Requires `logprobs`. */
  readonly top_logprobs?: number | null | undefined;
  /** Nucleus sampling, from 0 to 1: considers only the tokens with this much probability mass. */
  readonly top_p?: number | null | undefined;
  /** Deprecated by OpenAI in favour of `safety_identifier` and `prompt_cache_key`. */
  readonly user?: string | null | undefined;
  /** How verbose the response should be. */
  readonly verbosity?: 'low' | 'medium' | 'high' | (string & {}) | null | undefined;
  /** Lets the model search the web. */
  readonly web_search_options?:
    { readonly search_context_size?: string; readonly user_location?: unknown } | null | undefined;

  readonly [param: string]: unknown;
}
