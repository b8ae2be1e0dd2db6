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
  /** Milliseconds of silence, on top of the pace. `Infinity`: until the client leaves. */
  | { readonly wait: number }
  /** Breaks the connection here; what was written before is delivered. */
  | { readonly cut: Cut };

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
 * and above), a completion with `content`. A completion is an event stream where the request says
 * `stream: true`, and one JSON object where it does not.
 */
export interface MockAnswer {
  /** Default 200, with `error` 500. */
  readonly status?: number;
  /** Added to the answer's own headers, or in place of them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds before the headers. `Infinity`: no answer ever. Default 0. */
  readonly delay?: number;
  /** Milliseconds between two writes of the body. Default: the provider's. */
  readonly pace?: number;

  /**
   * What the model says. A string is sent word by word; a sequence is taken as it is, and may be
   * endless: the next piece is asked for when the last one was handed to the network. One that throws
   * breaks the connection. Default: a short text.
   */
  readonly content?: string | Iterable<MockPiece> | AsyncIterable<MockPiece>;
  /** `null`: the stream names none. Default `'stop'`. */
  readonly finishReason?: string | null;
  /** Sent where the request asks for usage, and in JSON. Default: counted from the words. */
  readonly usage?: Readonly<Record<string, unknown>>;
  /** Whether the stream ends with `[DONE]`. Default `true`. */
  readonly done?: boolean;

  /** The exact body, one write for each piece. Sent as an event stream unless `headers` say otherwise. */
  readonly body?: string | Uint8Array | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;
  /** The body as JSON. */
  readonly json?: unknown;
  /** The body as an error answer. */
  readonly error?: MockError;

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
  /** Breaks the connection after so many bytes of the body. Default `by`: `'close'`. */
  readonly cut?: { readonly afterBytes: number; readonly by?: Cut };
  /** Breaks the connection instead of answering, after `delay`. */
  readonly noAnswer?: Cut;
}
