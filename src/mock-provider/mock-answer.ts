/** How a connection is broken: closed in order (FIN), or reset (RST). */
export type Cut = 'close' | 'reset';

/** One step of an answer's content. */
export type MockPiece =
  /** Text: one chunk with this as `choices[0].delta.content`. */
  | string
  /** Exact bytes, in a separate write. */
  | Uint8Array
  /** Exact text or bytes, in a separate write. */
  | { readonly raw: string | Uint8Array }
  /** One chunk. Missing `id`, `object`, `created` and `model` are added. */
  | { readonly chunk: Readonly<Record<string, unknown>> }
  /** One chunk with this as `choices[0].delta`. */
  | { readonly delta: Readonly<Record<string, unknown>> }
  /** Text of the model's thinking: one chunk with this as `reasoning_content`. */
  | { readonly reasoning: string }
  /** A call, its arguments in several chunks. The finish reason is then `'tool_calls'` by default. */
  | { readonly toolCall: MockToolCall }
  /** A comment of the event stream, such as a keep-alive. */
  | { readonly comment: string }
  /** Milliseconds of silence, on top of the pace. `Infinity`: until the client leaves. */
  | { readonly wait: number }
  /** Breaks the connection here; what was written before is delivered. */
  | { readonly cut: Cut }
  /** Repeats the pieces. `times` is `Infinity` by default. */
  | { readonly repeat: MockPiece | readonly MockPiece[]; readonly times?: number };

/** A tool call by the model. */
export interface MockToolCall {
  readonly name: string;
  /** Text, or a value that is sent as JSON. Default `{}`. */
  readonly arguments?: unknown;
  /** Default: built from the numbers of the request and the call. */
  readonly id?: string;
}

/** One of several answers to the same request. */
export interface MockChoice {
  /**
   * The output. A string is sent word by word. A sequence is sent piece by piece and may be endless: the next
   * piece is requested once the previous one is written. If it throws, the connection breaks. Default: a short
   * text.
   */
  readonly content?: string | Iterable<MockPiece> | AsyncIterable<MockPiece>;
  /** `null`: none is sent. Default `'stop'`, after a tool call `'tool_calls'`. */
  readonly finishReason?: string | null;
}

/** The `error` object of an error response, in OpenAI's format. */
export interface MockError {
  readonly message: string;
  readonly type?: string;
  readonly code?: string | null;
  readonly param?: string | null;
}

/**
 * The response to one request. `{}` is the default response.
 *
 * The body is the first of these that applies: `body`, `json`, an error (`error`, or a status of 400 or above),
 * a completion with `choices` or `content`. A completion is an event stream if the request has `stream: true`,
 * else one JSON object.
 */
export interface MockAnswer extends MockChoice {
  /** Default 200, with `error` 500. */
  readonly status?: number;
  /** Added to the default headers, or replace them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Asks the client to retry later, in one of the formats in use. */
  readonly retryAfter?: MockRetryAfter;
  /** Milliseconds before the headers. `Infinity`: never. Default 0. */
  readonly delay?: number;
  /** Milliseconds between two writes of the body. Default: the provider's. */
  readonly pace?: number;

  /** Several choices, interleaved. Default: one, with `content` and `finishReason`. */
  readonly choices?: readonly MockChoice[];
  /** Sent if the request asks for usage, and in JSON. Default: counted from the words. */
  readonly usage?: Readonly<Record<string, unknown>>;
  /** Whether the stream ends with `[DONE]`. Default `true`. */
  readonly done?: boolean;

  /** The exact body, one write for each piece. Sent as an event stream unless `headers` say otherwise. */
  readonly body?: string | Uint8Array | Iterable<WirePiece> | AsyncIterable<WirePiece>;
  /** The body as JSON. */
  readonly json?: unknown;
  /** The body as an error response. */
  readonly error?: MockError;
  /** Compresses the body, flushing each write, regardless of what the client accepts. */
  readonly encoding?: 'gzip' | 'deflate' | 'br';

  /**
   * Milliseconds that the body stays open after its last byte (after `[DONE]`). `Infinity`: until the client
   * disconnects. Default 0.
   */
  readonly endDelay?: number;
  /**
   * The `Content-Length` to send, in bytes. If the body is shorter, the connection is closed. Default: none for
   * streams, the real one for JSON.
   */
  readonly contentLength?: number;
  /** Breaks the connection after this many bytes of the body as sent. Default `by`: `'close'`. */
  readonly cut?: { readonly afterBytes: number; readonly by?: Cut };
  /** Breaks the connection instead of answering, after `delay`. */
  readonly noAnswer?: Cut;
  /**
   * The exact bytes to send after `delay`, including status line and headers; they need not be HTTP. The
   * connection is closed after the last one.
   */
  readonly wire?: Iterable<WirePiece> | AsyncIterable<WirePiece>;
}

/** One step of what is written by hand: bytes, silence (see {@link MockPiece}), or the end. */
export type WirePiece = string | Uint8Array | { readonly wait: number } | { readonly cut: Cut };

export interface MockRetryAfter {
  /** Milliseconds. */
  readonly wait: number;
  /**
   * `Retry-After` in seconds, as the date of RFC 9110 or as one of the two obsolete dates that it asks
   * to be read (5.6.7), or the header `retry-after-ms`. Dates are counted from the answer's own `Date`
   * and are whole seconds. Default `'seconds'`.
   */
  readonly as?: 'seconds' | 'milliseconds' | 'date' | 'rfc850-date' | 'asctime-date';
}
