import type { ObservableInput } from 'rxjs';
import type { MessageFormat } from '../prompt/messages.js';
import type { UnsupportedFeature } from '../prompt/unsupported.js';

/** Who is asked: an endpoint that speaks Chat Completions, and how to be let in. */
export interface ModelProvider extends MessageFormat {
  /**
   * For messages, and the identity of a provider in a conversation: what it said on an item
   * (`extras`, `reasoning_details`) goes back to a provider of this name alone.
   */
  readonly name: string;
  /**
   * The address up to, and without, `/chat/completions`. Relative ones (`/api`) are for browsers, where
   * they lead to the application's own backend. The host must be written exactly as the URL standard reads it:
   * not `https://`, which would ask a host `chat`, no number for an IP address, no name that is not ASCII.
   */
  readonly baseUrl: string;
  /** The environment variable that holds the key, looked up at each attempt where no `apiKey` is given. */
  readonly envKey?: string | undefined;
  /** How to get a key: the error for a missing one says it. */
  readonly envKeyInstructions?: string | undefined;
  /**
   * The key, or where to get it. A function is asked for each attempt; the first value of what it
   * returns is taken, its error ends the turn as it is, and unsubscribing cancels it.
   */
  readonly apiKey?: string | (() => ObservableInput<string>) | undefined;
  /**
   * How long an `apiKey` function may take, in milliseconds; then it is unsubscribed, and the turn ends with a
   * `MissingApiKeyError`. Default 60,000; `Infinity`: no limit.
   */
  readonly apiKeyTimeout?: number | undefined;
  /** The header that carries the key, as it is. Default: `Authorization`, with `Bearer` before the key. */
  readonly apiKeyHeader?: string | undefined;
  /** Sent with each request. A header that the library would set itself is replaced. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Appended to the URL. */
  readonly queryParams?: Readonly<Record<string, string>> | undefined;
  /**
   * What this provider rejects, or ignores, of OpenAI's requests. A request is written without it:
   *
   * | listed | instead |
   * |---|---|
   * | `'developer'` | the message's role becomes `system`; its text stays |
   * | `'max_completion_tokens'` | its value is sent as `max_tokens`, unless that is given or listed too |
   * | `'max_tokens'` | its value is sent as `max_completion_tokens`, unless that is given or listed too |
   * | `'parallel_tool_calls'` | **not sent**: the model calls as many tools at once as it likes, even with `false` |
   * | `'stream_options'` | **not sent**: there is usage only if the provider sends it unasked, even with `includeUsage` |
   *
   * `streamChatRequest` sends its body as it is, and adds no `stream_options` where they are listed. Default: nothing.
   *
   * @example
   * ```ts
   * const provider = { name: 'mine', baseUrl: 'https://llm.example/v1', unsupported: ['developer'] } as const;
   * ```
   */
  readonly unsupported?: readonly UnsupportedFeature[] | undefined;
  /** As in `retry.maxRetries`, where that is not given. */
  readonly maxRetries?: number | undefined;
  /** As `idleTimeout` in the options, where that is not given; in milliseconds. */
  readonly idleTimeout?: number | undefined;
  /**
   * How the provider sends text and reasoning: what is new each time (`'incremental'`), or all of it
   * again each time, as DashScope does without `incremental_output` and MiniMax M3 with its reasoning
   * (`'cumulative'`). Then what is new is emitted, and a text of which a value does not begin with the
   * one before it is taken as it comes. Tool calls need no setting. Default `'incremental'`.
   */
  readonly deltas?: 'incremental' | 'cumulative' | undefined;
  /** As in the options, where that is not given. */
  readonly sendReasoning?: MessageFormat['sendReasoning'];
  /**
   * What stands as the content of an assistant message that has calls and no text. Default `'null'`, as in the
   * OpenAI reference; Cloudflare Workers AI, for one, wants `'empty'`.
   */
  readonly toolCallContent?: MessageFormat['toolCallContent'];
  /** The form of call ids. Default: any, so they are sent as they are. Mistral's own is `'mistral'`. */
  readonly callIdFormat?: MessageFormat['callIdFormat'];
}
