/** How a connection is broken: closed in order (FIN), or reset (RST). */
export type Cut = 'close' | 'reset';

/** One step of an answer's content. */
export type MockPiece =
  /** Text: one chunk with this as `choices[0].delta.content`. */
  | string
  /** Exact bytes, in a write of their own. */
  | Uint8Array
  /** Exact text or bytes, in a write of their own. */
  | { readonly raw: string | Uint8Array }
  /** One chunk. `id`, `object`, `created` and `model` are added where it has none. */
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
  /** The same pieces again and again. `times` is `Infinity` by default. */
  | { readonly repeat: MockPiece | readonly MockPiece[]; readonly times?: number };

/** A call that the model asks for. */
export interface MockToolCall {
  readonly name: string;
  /** Text, or what is written as JSON. Default `{}`. */
  readonly arguments?: unknown;
  /** Default: one made of the request's number and the call's. */
  readonly id?: string;
}

/** One of several answers to the same request. */
export interface MockChoice {
  /**
   * What the model says. A string is sent word by word; a sequence is taken as it is, and may be
   * endless: the next piece is asked for when the last one was handed to the network. One that throws
   * breaks the connection. Default: a short text.
   */
  readonly content?: string | Iterable<MockPiece> | AsyncIterable<MockPiece>;
  /** `null`: the stream names none. Default `'stop'`, after a tool call `'tool_calls'`. */
  readonly finishReason?: string | null;
}

/** The `error` object of an error answer, as OpenAI writes it. */
export interface MockError {
  readonly message: string;
  readonly type?: string;
  readonly code?: string | null;
  readonly param?: string | null;
}

/**
 * How one request is answered. `{}` is the default answer.
 *
 * The body is the first of these that applies: `body`, `json`, an error (`error`, or a status of 400
 * and above), a completion with `choices` or `content`. A completion is an event stream where the
 * request says `stream: true`, and one JSON object where it does not.
 */
export interface MockAnswer extends MockChoice {
  /** Default 200, with `error` 500. */
  readonly status?: number;
  /** Added to the answer's own headers, or in place of them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Asks the client to come again after a time, in one of the forms that are in use. */
  readonly retryAfter?: MockRetryAfter;
  /** Milliseconds before the headers. `Infinity`: no answer ever. Default 0. */
  readonly delay?: number;
  /** Milliseconds between two writes of the body. Default: the provider's. */
  readonly pace?: number;

  /** Several choices, a piece of each in turn. Default: one, with `content` and `finishReason`. */
  readonly choices?: readonly MockChoice[];
  /** Sent where the request asks for usage, and in JSON. Default: counted from the words. */
  readonly usage?: Readonly<Record<string, unknown>>;
  /** Whether the stream ends with `[DONE]`. Default `true`. */
  readonly done?: boolean;

  /** The exact body, one write for each piece. Sent as an event stream unless `headers` say otherwise. */
  readonly body?: string | Uint8Array | Iterable<WirePiece> | AsyncIterable<WirePiece>;
  /** The body as JSON. */
  readonly json?: unknown;
  /** The body as an error answer. */
  readonly error?: MockError;
  /** Compresses the body, each write by itself, whatever the client says it accepts. */
  readonly encoding?: 'gzip' | 'deflate' | 'br';

  /**
   * Milliseconds that the body stays open after its last byte, which is after `[DONE]`. `Infinity`:
   * until the client leaves. Default 0.
   */
  readonly endDelay?: number;
  /**
   * A `Content-Length` to claim, in bytes. Where the body ends short of it, the connection is closed.
   * Default: none for streams, the true one for JSON.
   */
  readonly contentLength?: number;
  /** Breaks the connection after so many bytes of the body as it is sent. Default `by`: `'close'`. */
  readonly cut?: { readonly afterBytes: number; readonly by?: Cut };
  /** Breaks the connection instead of answering, after `delay`. */
  readonly noAnswer?: Cut;
  /**
   * The exact bytes on the connection after `delay`, status line and headers included, which need not
   * be HTTP. The connection is closed after the last one.
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
