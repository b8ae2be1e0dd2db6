/**
 * Every error that this library emits. Each arrives as an error notification, and each `name` is the
 * name of its class.
 *
 * No message, stack or enumerable property holds the key, the prompt or the answer. What a provider said is only
 * in `body`, `snippet`, `providerMessage` and `remoteMessage`, and what arrived only in `turn`. None of them is
 * enumerable, so a logger that serialises an error leaves them out, and the key that was sent is replaced by `***`.
 */
export abstract class ChatCompletionsError extends Error {
  abstract override get name(): string;
  /**
   * What each attempt failed with, in order, where several led to this error: requests that were sent again, answers
   * that were requested again, other providers; the last 100 of them. Not enumerable.
   */
  declare readonly attempts?: readonly Error[];
}

/**
 * Sets a property that loggers and `JSON.stringify` pass over (docs/decisions/0005-privacy-of-errors.md). What takes none,
 * such as a frozen error, stays as it is.
 */
export function hide<T extends object, K extends keyof T>(target: T, key: K, value: T[K]): void {
  Reflect.defineProperty(target, key, { value, enumerable: false, configurable: true, writable: true });
}

const lastOf = / It was the last of (?:at least )?\d+ attempts\.$/;

/** How many attempts an error holds: a source may fail with the same error again and again. */
export const attemptsKept = 100;

/** What each attempt failed with that led to an error: the error itself where none did. */
const attemptsOf = (error: Error): readonly Error[] =>
  (error instanceof ChatCompletionsError && error.attempts) || [error];

/** Sets the attempts of an error that ends a turn: those before it, and its own. */
export function setAttempts(error: ChatCompletionsError, before: readonly Error[]): readonly Error[] {
  const attempts = [...before.flatMap(attemptsOf), ...attemptsOf(error)].slice(-attemptsKept);
  hide<ChatCompletionsError, 'attempts'>(error, 'attempts', attempts);
  return attempts;
}

/** An error that ends what was attempted before: it holds those attempts, and says how many there were. */
export function withAttempts<E>(error: E, before: readonly Error[]): E {
  if (!(error instanceof ChatCompletionsError) || before.length === 0 || Object.isFrozen(error)) return error;
  const { length } = setAttempts(error, before);
  const said = error.message.replace(lastOf, '').replace(/\.$/, '');
  error.message = `${said}. It was the last of ${length < attemptsKept ? '' : 'at least '}${length} attempts.`;
  return error;
}

/**
 * The last error of several turns that all failed: what the others failed with stands in an `AggregateError` at the end
 * of its causes, so that it is still of its own class, and in its `attempts`.
 */
export function allFailed<E>(error: E, before: readonly unknown[]): E {
  if (before.length === 0 || !(error instanceof Error)) return error;
  const errors = [...before, error];
  let last: Error = error;
  const isOurs = (cause: Error) => cause instanceof AggregateError && cause.errors.includes(error);
  // A chain that a hostile peer or a mistake has made a ring has no end.
  for (let depth = 0; depth < 16; depth += 1) {
    const cause = propertyOf(last, 'cause');
    if (!(cause instanceof Error) || isOurs(cause)) break;
    last = cause;
  }
  if (Object.isExtensible(last))
    hide(last, 'cause', new AggregateError(errors, `All ${errors.length} turns failed.`));
  return withAttempts(error, before.map(asError));
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new ApplicationError(thrown));

/** An error of the library as it is, and any other as the cause of an {@link ApplicationError}. */
export const asLibraryError = (error: unknown): ChatCompletionsError =>
  error instanceof ChatCompletionsError ? error : new ApplicationError(error);

const causedBy = (cause: unknown): ErrorOptions | undefined => (cause === undefined ? undefined : { cause });

/** A property of what is not the library's own: a getter may throw. */
export function propertyOf(value: unknown, name: string | symbol): unknown {
  try {
    return (value as Record<PropertyKey, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

/** An error and what caused it, five deep at most. */
function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  let current = error;
  while (current !== undefined && current !== null && causes.length < 5) {
    causes.push(current);
    current = propertyOf(current, 'cause');
  }
  return causes;
}

/** The `code` of a platform's error (`ECONNREFUSED`, `UND_ERR_SOCKET`), looked for along its causes. */
export function platformCode(error: unknown): string | undefined {
  for (const cause of causesOf(error)) {
    const code = propertyOf(cause, 'code');
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code)) return code;
  }
  return undefined;
}

type Details = readonly (string | undefined)[];

const sentences = (...given: Details): string => given.filter(Boolean).join(' ');

const parenthesised = (...given: Details): string => {
  const details = given.filter(Boolean).join(', ');
  return details && ` (${details})`;
};

/** What an error answer said of itself. */
export interface StatusDetails {
  readonly status: number;
  /** The provider's own code, such as `invalid_api_key` or `insufficient_quota`. */
  readonly code?: string | undefined;
  /** The request id among the answer's headers: what a provider's support asks for. */
  readonly requestId?: string | undefined;
  /** The wait that the answer asked for, in milliseconds. */
  readonly retryAfter?: number | undefined;
  /** The answer's body: at most its first 64 KiB, `''` where it was not read. */
  readonly body?: string;
}

/** What both errors of a status hold. */
function setDetails(
  error: UnexpectedStatusError | RetryLimitError,
  { status, code, requestId, retryAfter, body = '' }: StatusDetails,
): void {
  Object.assign(error, { status, code, requestId, retryAfter });
  hide(error, 'body', body);
}

const advice: Readonly<Record<number, string>> = {
  400: 'Check the model and the parameters.',
  401: 'Check the API key.',
  402: 'Check the account balance.',
  403: 'The key may not use this model or endpoint.',
  404: 'Check the base URL and the model.',
  413: 'The prompt is too large.',
  422: 'Check the model and the parameters.',
  429: 'Check the rate limits and the quota.',
};

/**
 * The provider answered with a status that is not 2xx, and it was not retried.
 *
 * What to do: `status` and `code` say what is wrong (401 the key, 404 the URL or model, 429 with
 * `insufficient_quota` the account); `body` holds the provider's own words.
 */
export class UnexpectedStatusError extends ChatCompletionsError {
  override get name() {
    return 'UnexpectedStatusError' as const;
  }
  declare readonly status: number;
  declare readonly code: string | undefined;
  declare readonly requestId: string | undefined;
  declare readonly retryAfter: number | undefined;
  /** Whether the library's own rule would send the request again. */
  readonly retryable: boolean;
  /** The provider's words, at most 64 KiB of them. Not enumerable. */
  declare readonly body: string;

  constructor(details: StatusDetails & { readonly retryable?: boolean }) {
    const { status, code } = details;
    super(sentences(`The provider answered with status ${status}${parenthesised(code)}.`, advice[status]));
    setDetails(this, details);
    this.retryable = details.retryable ?? false;
  }
}

/**
 * The provider kept answering with a status that is retried, until `maxRetries` was reached or the
 * wait it asked for was longer than `maxRetryAfter`.
 *
 * What to do: try again later, after `retryAfter` milliseconds where the provider named a time.
 */
export class RetryLimitError extends ChatCompletionsError {
  override get name() {
    return 'RetryLimitError' as const;
  }
  declare readonly status: number;
  declare readonly code: string | undefined;
  declare readonly requestId: string | undefined;
  /** What each request failed with, this one last. Not enumerable. */
  declare readonly attempts: readonly Error[];
  /** The wait that the last answer asked for, in milliseconds. */
  declare readonly retryAfter: number | undefined;
  /** The provider's words, at most 64 KiB of them. Not enumerable. */
  declare readonly body: string;

  constructor(details: StatusDetails, attempts: readonly Error[]) {
    const { status, code, retryAfter } = details;
    const times = attempts.length === 1 ? '1 attempt' : `${attempts.length} attempts`;
    super(
      sentences(
        `The provider answered with status ${status}${parenthesised(code)} after ${times}.`,
        retryAfter === undefined ? undefined : `It asks to wait ${retryAfter} ms.`,
      ),
    );
    setDetails(this, details);
    hide(this, 'attempts', attempts);
  }
}

/**
 * No answer came: the connection failed, or the provider answered with a redirect, which is refused.
 *
 * What to do: check the base URL and the network; `cause` has the platform's `name`, `code`, `errno`, `syscall` and
 * message, without secrets.
 */
export class TransportError extends ChatCompletionsError {
  override get name() {
    return 'TransportError' as const;
  }
  /** Whether the library's own rule would send the request again. */
  readonly retryable: boolean;

  constructor(options: { message?: string; cause?: unknown; retryable?: boolean } = {}) {
    const { cause } = options;
    super(
      options.message ?? `No answer came from the provider${parenthesised(platformCode(cause))}.`,
      causedBy(cause),
    );
    this.retryable = options.retryable ?? true;
  }
}

/** What can go wrong with one request, and be retried. */
export type RequestFailure = UnexpectedStatusError | TransportError;

export const isRequestFailure = (error: unknown): error is RequestFailure =>
  error instanceof UnexpectedStatusError || error instanceof TransportError;

/**
 * No response headers came within `responseTimeout`. Not retried: a model that is only slow would be
 * billed again.
 */
export class ResponseTimeoutError extends ChatCompletionsError {
  override get name() {
    return 'ResponseTimeoutError' as const;
  }
  /** The limit, in milliseconds. */
  readonly timeout: number;

  constructor(timeout: number, cause?: unknown) {
    super(`No response headers came within ${timeout} ms.`, causedBy(cause));
    this.timeout = timeout;
  }
}

/**
 * The event stream broke after the answer had begun. Never retried by the turn itself, since text was already
 * delivered; what arrived before it stays delivered. `restartOnBreak()` asks again.
 */
export class StreamError extends ChatCompletionsError {
  override get name(): 'StreamError' | 'IdleTimeoutError' | 'ProviderStreamError' {
    return 'StreamError';
  }
  /** Whether the same request may succeed if it is sent again. */
  readonly retryable: boolean;

  constructor(options: { message?: string; cause?: unknown; retryable?: boolean } = {}) {
    const { cause } = options;
    super(options.message ?? `The event stream broke${parenthesised(platformCode(cause))}.`, causedBy(cause));
    this.retryable = options.retryable ?? true;
  }
}

/** No event came for `idleTimeout`; the connection was aborted. */
export class IdleTimeoutError extends StreamError {
  override get name() {
    return 'IdleTimeoutError' as const;
  }
  /** The limit, in milliseconds. */
  readonly timeout: number;

  constructor(timeout: number, cause?: unknown) {
    super({ message: 'idle timeout waiting for SSE', cause });
    this.timeout = timeout;
  }
}

/**
 * Nobody took what had arrived for `stallTimeout`: values waited in an iterator or a stream, or a `Demand` was
 * held. The turn was ended and its connection closed.
 *
 * What to do: nothing where the consumer was abandoned. One that is only slow needs a longer `stallTimeout`.
 */
export class StallTimeoutError extends ChatCompletionsError {
  override get name() {
    return 'StallTimeoutError' as const;
  }
  /** The limit, in milliseconds. */
  readonly timeout: number;

  constructor(timeout: number) {
    super(`The consumer took nothing for ${timeout} ms.`);
    this.timeout = timeout;
  }
}

/**
 * The provider reported an error inside an answer that had begun with status 200.
 *
 * What to do: `code`, `errorType` and `status` say what went wrong where the provider gave them;
 * `providerMessage` holds its own words. Where `retryable` is set, asking again may help, after `retryAfter`
 * milliseconds.
 */
export class ProviderStreamError extends StreamError {
  override get name() {
    return 'ProviderStreamError' as const;
  }
  readonly code: string | undefined;
  readonly errorType: string | undefined;
  readonly status: number | undefined;
  /** The wait that the provider asks for, in milliseconds. */
  readonly retryAfter: number | undefined;
  /** The provider's words. Not enumerable. */
  declare readonly providerMessage: string | undefined;

  constructor(details: {
    readonly code?: string | undefined;
    readonly type?: string | undefined;
    readonly status?: number | undefined;
    readonly message?: string | undefined;
    readonly retryable?: boolean | undefined;
    readonly retryAfter?: number | undefined;
  }) {
    const { code, type, status, message, retryable = true } = details;
    const statusText = status === undefined ? undefined : `status ${status}`;
    const codeText = code === undefined || code === String(status) ? undefined : `code ${code}`;
    super({
      message: `The provider reported an error inside the stream${parenthesised(statusText, codeText)}.`,
      retryable,
    });
    this.code = code;
    this.errorType = type;
    this.status = status;
    this.retryAfter = details.retryAfter;
    hide(this, 'providerMessage', message);
  }
}

/**
 * The provider answered with success, but with neither an event stream nor a completion: a login
 * page, a proxy's error page, another API.
 *
 * What to do: check the base URL; `snippet` shows how the answer begins.
 */
export class UnexpectedContentError extends ChatCompletionsError {
  override get name() {
    return 'UnexpectedContentError' as const;
  }
  readonly status: number;
  /** The media type that the answer named, `''` where it named none that is well-formed. */
  readonly contentType: string;
  /** The first characters of the answer, at most 200. Not enumerable. */
  declare readonly snippet: string;

  constructor(details: { readonly status: number; readonly contentType: string; readonly snippet: string }) {
    const { status, contentType } = details;
    const type = contentType || 'content of no stated type';
    super(
      `The provider answered with status ${status} and ${type}, which is no event stream. Check the base URL.`,
    );
    this.status = status;
    this.contentType = contentType;
    hide(this, 'snippet', details.snippet.slice(0, 200));
  }
}

/** The provider needs a key and none was given, or not in time. Nothing was sent. */
export class MissingApiKeyError extends ChatCompletionsError {
  override get name() {
    return 'MissingApiKeyError' as const;
  }
  /** The environment variable that holds the key; `undefined` where an `apiKey` function gave none. */
  readonly envKey: string | undefined;
  /** The provider's advice on how to get a key. */
  readonly instructions: string | undefined;

  /** @param timeout - how long an `apiKey` function was given, in milliseconds, where it took longer */
  constructor(provider: string, envKey?: string, instructions?: string, timeout?: number) {
    // A key in the place of a variable's name is not told.
    const isName = envKey === undefined || /^(?:\w{1,32}|(?:[A-Z\d]{1,32}_){1,8}[A-Z\d]{1,32})$/.test(envKey);
    const what =
      envKey === undefined
        ? `The apiKey function of the provider "${provider}" gave no key${timeout === undefined ? '' : ` within ${timeout} ms`}.`
        : `The provider "${provider}" needs a key: set the environment variable ${isName ? envKey : 'that envKey names'}, or give an apiKey.`;
    super(sentences(what, instructions));
    this.envKey = isName ? envKey : undefined;
    this.instructions = instructions;
  }
}

/**
 * The provider is configured with something that cannot be sent: a base URL that is none, a key or
 * a header with a character that HTTP does not allow. Nothing was sent.
 */
export class InvalidProviderError extends ChatCompletionsError {
  override get name() {
    return 'InvalidProviderError' as const;
  }
  /** Which setting: `baseUrl`, `apiKey`, or `headers.` and the header's name (`headers` alone if it may be a secret). */
  readonly setting: string;

  constructor(provider: string, setting: string, reason: string) {
    super(`The ${setting} of the provider "${provider}" cannot be used: ${reason}.`);
    this.setting = setting;
  }
}

/**
 * The request cannot be written as JSON: a cycle, a BigInt, a `toJSON` that throws, too many levels. Nothing was sent.
 *
 * What to do: correct `part`. What was thrown is no `cause`, since it may quote the prompt.
 */
export class InvalidRequestError extends ChatCompletionsError {
  override get name() {
    return 'InvalidRequestError' as const;
  }
  /** Which part of the body, such as `messages` or `tools`; `undefined` where that cannot be told. */
  readonly part: string | undefined;

  constructor({ part, reason }: { readonly part?: string; readonly reason?: unknown } = {}) {
    const isName = part !== undefined && /^\w{1,64}$/.test(part);
    const thrown = reason === undefined ? undefined : className(reason);
    super(`The request cannot be written as JSON${isName ? `: see ${part}` : ''}${parenthesised(thrown)}.`);
    this.part = isName ? part : undefined;
  }
}

/**
 * The turn failed with an error that is not the library's, such as one from an `apiKey` function, or from an
 * operator of the application. Raised by `toState()` only; elsewhere such an error passes unchanged.
 *
 * What to do: `cause` is the original error.
 */
export class ApplicationError extends ChatCompletionsError {
  override get name() {
    return 'ApplicationError' as const;
  }

  constructor(cause: unknown) {
    super(`An application error ended the turn (${className(cause)}).`, { cause });
  }
}

/** The class of what was thrown, without its message, which may quote a prompt. */
export function className(thrown: unknown): string {
  const name =
    thrown instanceof Error
      ? propertyOf(thrown, 'name')
      : propertyOf(propertyOf(thrown, 'constructor'), 'name');
  return typeof name === 'string' && /^[A-Za-z]\w{0,63}$/.test(name) ? name : typeof thrown;
}
