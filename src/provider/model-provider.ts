import type { ObservableInput } from 'rxjs';
import type { MessageFormat } from '../prompt/messages.js';
import type { UnsupportedFeature } from '../prompt/unsupported.js';

/** A Chat Completions endpoint, with its credentials and settings. */
export interface ModelProvider extends MessageFormat {
  /**
   * For messages, and to identify the provider in a conversation: its fields on an item (`extras`,
   * `reasoning_details`) are sent back only to a provider with this name.
   */
  readonly name: string;
  /**
   * The URL without `/chat/completions`. A relative one (`/api`) works in browsers and leads to the
   * application's own backend. The host must be written as the URL standard parses it: it must not be empty, a
   * number instead of an IP address, or a non-ASCII name.
   */
  readonly baseUrl: string;
  /** The environment variable with the key, read at each attempt unless `apiKey` is set. */
  readonly envKey?: string | undefined;
  /** How to get a key, for the error if it is missing. */
  readonly envKeyInstructions?: string | undefined;
  /**
   * The key, or a function that is called for each attempt. The first value of what it returns is the key, an
   * error ends the turn unchanged, and unsubscribing cancels it.
   */
  readonly apiKey?: string | (() => ObservableInput<string>) | undefined;
  /**
   * How long an `apiKey` function may take, in milliseconds, before the turn fails with a `MissingApiKeyError`.
   * Default 60,000; `Infinity`: no limit.
   */
  readonly apiKeyTimeout?: number | undefined;
  /** The header for the plain key. Default: `Authorization`, with `Bearer` before the key. */
  readonly apiKeyHeader?: string | undefined;
  /** Sent with each request. They override the library's own headers. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Appended to the URL. */
  readonly queryParams?: Readonly<Record<string, string>> | undefined;
  /**
   * Features of OpenAI's requests that this provider rejects or ignores. Requests are sent without them:
   *
   * | listed | instead |
   * |---|---|
   * | `'developer'` | the message's role becomes `system`; its text stays |
   * | `'max_completion_tokens'` | its value is sent as `max_tokens`, unless that is given or listed too |
   * | `'max_tokens'` | its value is sent as `max_completion_tokens`, unless that is given or listed too |
   * | `'parallel_tool_calls'` | **not sent**: the model may call several tools at once, even with `false` |
   * | `'stream_options'` | **not sent**: usage arrives only if the provider always sends it, even with
   * `includeUsage` |
   *
   * `streamChatRequest` sends its body unchanged, and adds no `stream_options` if they are listed. Default:
   * nothing.
   *
   * @example
   * ```ts
   * const provider = { name: 'mine', baseUrl: 'https://llm.example/v1', unsupported: ['developer'] } as const;
   * ```
   */
  readonly unsupported?: readonly UnsupportedFeature[] | undefined;
  /** Used unless `retry.maxRetries` is set. */
  readonly maxRetries?: number | undefined;
  /** Used unless the option `idleTimeout` is set; in milliseconds. */
  readonly idleTimeout?: number | undefined;
  /**
   * Whether each chunk has only the new text and reasoning (`'incremental'`) or everything so far
   * (`'cumulative'`), as with DashScope without `incremental_output` and the reasoning of MiniMax M3. Either
   * way only the new part is emitted; a text that does not begin with the previous one counts as incremental.
   * Tool calls need no setting. Default `'incremental'`.
   */
  readonly deltas?: 'incremental' | 'cumulative' | undefined;
  /** Used unless the option `sendReasoning` is set. */
  readonly sendReasoning?: MessageFormat['sendReasoning'];
  /**
   * The content of an assistant message with calls and no text. Default `'null'`, as in the OpenAI reference;
   * Cloudflare Workers AI, for one, requires `'empty'`.
   */
  readonly toolCallContent?: MessageFormat['toolCallContent'];
  /** The format of call ids. Default: any, so they are sent unchanged. Mistral requires `'mistral'`. */
  readonly callIdFormat?: MessageFormat['callIdFormat'];
}
