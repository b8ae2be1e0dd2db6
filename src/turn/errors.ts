/**
 * The base class of the errors that this library emits. They arrive as error notifications, and `name` is the
 * name of the class.
 *
 * No message, stack or enumerable property contains the key, the prompt or the model's output. The provider's
 * words are only in `body`, `snippet`, `providerMessage` and `remoteMessage`, and the partial output only in
 * `turn`. These properties are not enumerable, so a logger that serialises an error leaves them out, and the
 * key that was sent is replaced by `***`.
 */
export abstract class ChatCompletionsError extends Error {
  abstract override get name(): string;
  /**
   * The errors of all attempts, in order, if several led to this error (retries, restarts, other providers);
   * the last 100 of them. Not enumerable.
   */
  declare readonly attempts?: readonly Error[];
}

/**
 * Sets a property that loggers and `JSON.stringify` skip (docs/decisions/0005-privacy-of-errors.md). A frozen
 * error stays as it is.
 */
export function hide<T extends object, K extends keyof T>(target: T, key: K, value: T[K]): void {
  Reflect.defineProperty(target, key, { value, enumerable: false, configurable: true, writable: true });
}

const lastOf = / This was the last of (?:at least )?\d+ attempts\.$/;

/** How many attempts an error keeps: a source may fail again and again. */
export const attemptsKept = 100;

/** The attempts that led to an error; the error alone if it has none. */
const attemptsOf = (error: Error): readonly Error[] =>
  (error instanceof ChatCompletionsError && error.attempts) || [error];

/** Sets the attempts of an error that ends a turn: the earlier ones, and its own. */
export function setAttempts(error: ChatCompletionsError, before: readonly Error[]): readonly Error[] {
  const attempts = [...before.flatMap(attemptsOf), ...attemptsOf(error)].slice(-attemptsKept);
  hide<ChatCompletionsError, 'attempts'>(error, 'attempts', attempts);
  return attempts;
}

/** Adds the earlier attempts to an error that ends a turn, and their number to its message. */
export function withAttempts<E>(error: E, before: readonly Error[]): E {
  if (!(error instanceof ChatCompletionsError) || before.length === 0 || Object.isFrozen(error)) return error;
  const { length } = setAttempts(error, before);
  const said = error.message.replace(lastOf, '');
  error.message = `${said}${/[.?]$/.test(said) ? '' : '.'} This was the last of ${length < attemptsKept ? '' : 'at least '}${length} attempts.`;
  return error;
}

/**
 * The last error of several turns that all failed. It keeps its class; an `AggregateError` of all errors goes
 * to the end of its `cause` chain, and every attempt into `attempts`.
 */
export function allFailed<E>(error: E, before: readonly unknown[]): E {
  if (before.length === 0 || !(error instanceof Error)) return error;
  const errors = [...before, error];
  let last: Error = error;
  const isOurs = (cause: Error) => cause instanceof AggregateError && cause.errors.includes(error);
  // A circular chain has no end.
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

/** Returns the library's errors unchanged, and any other as the cause of an {@link ApplicationError}. */
export const asLibraryError = (error: unknown): ChatCompletionsError =>
  error instanceof ChatCompletionsError ? error : new ApplicationError(error);

const causedBy = (cause: unknown): ErrorOptions | undefined => (cause === undefined ? undefined : { cause });

/** A property of a foreign object, whose getter may throw. */
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

/** The `code` of a platform's error (`ECONNREFUSED`, `UND_ERR_SOCKET`), found along its causes. */
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

/** What to check if a provider was never reached, by the platform's code. */
const unreachedAdvice: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Is it running?',
  ENOTFOUND: 'Check the host name and the network.',
  EAI_AGAIN: 'Check the host name and the network.',
  EHOSTUNREACH: 'Check the network.',
  ENETUNREACH: 'Check the network.',
  ETIMEDOUT: 'Check the address and the network.',
  UND_ERR_CONNECT_TIMEOUT: 'Check the address and the network.',
};

const anyProvider = 'the provider';

/** The message of a request without a response. */
function unreachable(provider: string, cause: unknown): string {
  const code = platformCode(cause);
  return code !== undefined && Object.hasOwn(unreachedAdvice, code)
    ? sentences(`Could not reach ${provider}${parenthesised(code)}.`, unreachedAdvice[code])
    : `No response from ${provider}${parenthesised(code)}. Check the base URL and the network.`;
}

/** Names the provider in the message of a `TransportError`, unless the transport gave it another message. */
export function withProvider(error: ChatCompletionsError, provider: string): ChatCompletionsError {
  const { message, cause, stack } = error;
  if (!(error instanceof TransportError) || message !== unreachable(anyProvider, cause)) return error;
  if (Object.isFrozen(error)) return error;
  error.message = unreachable(provider, cause);
  // A stack begins with the message that the error was created with.
  error.stack = stack?.replace(message, () => error.message) ?? '';
  return error;
}

/** A time in words: `250 ms`, `1.5 s`, `10 min`. */
function duration(milliseconds: number): string {
  if (milliseconds === Infinity) return 'infinite';
  if (milliseconds < 1_000) return `${milliseconds} ms`;
  const seconds = milliseconds / 1_000;
  return seconds < 120 ? `${Number(seconds.toFixed(1))} s` : `${Number((seconds / 60).toFixed(1))} min`;
}

/** What an error response says. */
export interface StatusDetails {
  readonly status: number;
  /** The provider's own code, such as `invalid_api_key` or `insufficient_quota`. */
  readonly code?: string | undefined;
  /** The request id from the response's headers, which a provider's support asks for. */
  readonly requestId?: string | undefined;
  /** The wait that the response asked for, in milliseconds. */
  readonly retryAfter?: number | undefined;
  /** The first 64 KiB of the response body; `''` if it was not read. */
  readonly body?: string;
}

/** The properties that both status errors have. */
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
  403: 'The API key has no access to this model or endpoint.',
  404: 'Check the base URL and the model.',
  413: 'The prompt is too long.',
  422: 'Check the model and the parameters.',
  429: 'Check the rate limits and the quota.',
};

/**
 * The provider returned a status other than 2xx, and the request was not retried.
 *
 * What to do: see `status` and `code` (401: the key; 404: the URL or model; 429 with `insufficient_quota`: the
 * account). `body` has the provider's own words.
 */
export class UnexpectedStatusError extends ChatCompletionsError {
  override get name() {
    return 'UnexpectedStatusError' as const;
  }
  declare readonly status: number;
  declare readonly code: string | undefined;
  declare readonly requestId: string | undefined;
  declare readonly retryAfter: number | undefined;
  /** Whether the request is retried by default. */
  readonly retryable: boolean;
  /** The provider's words, at most 64 KiB of them. Not enumerable. */
  declare readonly body: string;

  constructor(details: StatusDetails & { readonly retryable?: boolean }) {
    const { status, code } = details;
    super(sentences(`The provider returned status ${status}${parenthesised(code)}.`, advice[status]));
    setDetails(this, details);
    this.retryable = details.retryable ?? false;
  }
}

/**
 * The provider kept returning a retryable status until `maxRetries` was reached, or asked for a wait longer
 * than `maxRetryAfter`.
 *
 * What to do: try again later, after `retryAfter` milliseconds if the provider named a time.
 */
export class RetryLimitError extends ChatCompletionsError {
  override get name() {
    return 'RetryLimitError' as const;
  }
  declare readonly status: number;
  declare readonly code: string | undefined;
  declare readonly requestId: string | undefined;
  /** The error of each request, the last one included. Not enumerable. */
  declare readonly attempts: readonly Error[];
  /** The wait that the last response asked for, in milliseconds. */
  declare readonly retryAfter: number | undefined;
  /** The provider's words, at most 64 KiB of them. Not enumerable. */
  declare readonly body: string;

  /** @param maxRetryAfter - the limit that `retryAfter` may exceed, in milliseconds */
  constructor(details: StatusDetails, attempts: readonly Error[], maxRetryAfter = Infinity) {
    const { status, code, retryAfter } = details;
    const times = attempts.length === 1 ? '1 attempt' : `${attempts.length} attempts`;
    super(
      sentences(
        `The provider returned status ${status}${parenthesised(code)} after ${times}.`,
        adviceOf(retryAfter, maxRetryAfter),
      ),
    );
    setDetails(this, details);
    hide(this, 'attempts', attempts);
  }
}

function adviceOf(retryAfter: number | undefined, limit: number): string | undefined {
  if (retryAfter === undefined) return undefined;
  return retryAfter > limit
    ? `Retry-After is ${duration(retryAfter)}, longer than the limit of ${duration(limit)} (retry.maxRetryAfter).`
    : `Retry after ${duration(retryAfter)}.`;
}

/**
 * There was no response: the connection failed, or the provider returned a redirect, which is refused.
 *
 * What to do: check the base URL and the network; `cause` has the platform's `name`, `code`, `errno`, `syscall` and
 * message, without secrets.
 */
export class TransportError extends ChatCompletionsError {
  override get name() {
    return 'TransportError' as const;
  }
  /** Whether the request is retried by default. */
  readonly retryable: boolean;

  constructor(options: { message?: string; cause?: unknown; retryable?: boolean } = {}) {
    const { cause } = options;
    super(options.message ?? unreachable(anyProvider, cause), causedBy(cause));
    this.retryable = options.retryable ?? true;
  }
}

/** The failures of one request that can be retried. */
export type RequestFailure = UnexpectedStatusError | TransportError;

export const isRequestFailure = (error: unknown): error is RequestFailure =>
  error instanceof UnexpectedStatusError || error instanceof TransportError;

/** No response headers arrived within `responseTimeout`. Not retried: a slow model would be billed twice. */
export class ResponseTimeoutError extends ChatCompletionsError {
  override get name() {
    return 'ResponseTimeoutError' as const;
  }
  /** The limit, in milliseconds. */
  readonly timeout: number;

  constructor(timeout: number, cause?: unknown) {
    super(`No response headers arrived within ${timeout} ms.`, causedBy(cause));
    this.timeout = timeout;
  }
}

/**
 * The event stream broke after the response had begun. The turn never retries it, because output was already
 * delivered; `restartOnBreak()` does.
 */
export class StreamError extends ChatCompletionsError {
  override get name(): 'StreamError' | 'IdleTimeoutError' | 'ProviderStreamError' {
    return 'StreamError';
  }
  /** Whether sending the same request again may succeed. */
  readonly retryable: boolean;

  constructor(options: { message?: string; cause?: unknown; retryable?: boolean } = {}) {
    const { cause } = options;
    super(
      options.message ?? `The event stream broke off${parenthesised(platformCode(cause))}.`,
      causedBy(cause),
    );
    this.retryable = options.retryable ?? true;
  }
}

/** No event arrived for `idleTimeout`; the connection was aborted. */
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
 * The consumer took nothing for `stallTimeout` while values waited in an iterator or a stream, or a `Demand`
 * was held. The connection was closed.
 *
 * What to do: nothing if the consumer was abandoned; give a slow one a longer `stallTimeout`.
 */
export class StallTimeoutError extends ChatCompletionsError {
  override get name() {
    return 'StallTimeoutError' as const;
  }
  /** The limit, in milliseconds. */
  readonly timeout: number;

  constructor(timeout: number) {
    super(`The consumer took nothing for ${timeout} ms (stallTimeout).`);
    this.timeout = timeout;
  }
}

/**
 * The provider reported an error inside a response that had begun with status 200.
 *
 * What to do: see `code`, `errorType` and `status`, as far as the provider sent them; `providerMessage` has its
 * own words. If `retryable` is set, try again after `retryAfter` milliseconds.
 */
export class ProviderStreamError extends StreamError {
  override get name() {
    return 'ProviderStreamError' as const;
  }
  readonly code: string | undefined;
  readonly errorType: string | undefined;
  readonly status: number | undefined;
  /** The wait that the provider asked for, in milliseconds. */
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
 * The response was successful, but neither an event stream nor a completion: a login page, a proxy's error
 * page, another API.
 *
 * What to do: check the base URL; `snippet` shows the start of the response.
 */
export class UnexpectedContentError extends ChatCompletionsError {
  override get name() {
    return 'UnexpectedContentError' as const;
  }
  readonly status: number;
  /** The response's media type; `''` if it is missing or malformed. */
  readonly contentType: string;
  /** The first characters of the response, at most 200. Not enumerable. */
  declare readonly snippet: string;

  constructor(details: { readonly status: number; readonly contentType: string; readonly snippet: string }) {
    const { status, contentType } = details;
    const type = contentType || 'no content type';
    super(
      `The provider returned status ${status} with ${type} instead of an event stream. Check the base URL.`,
    );
    this.status = status;
    this.contentType = contentType;
    hide(this, 'snippet', details.snippet.slice(0, 200));
  }
}

/** The provider needs a key, and there was none, or not in time. Nothing was sent. */
export class MissingApiKeyError extends ChatCompletionsError {
  override get name() {
    return 'MissingApiKeyError' as const;
  }
  /** The environment variable that should hold the key; `undefined` if an `apiKey` function returned none. */
  readonly envKey: string | undefined;
  /** The provider's advice on how to get a key. */
  readonly instructions: string | undefined;

  /** @param timeout - the time limit of an `apiKey` function that took too long, in milliseconds */
  constructor(provider: string, envKey?: string, instructions?: string, timeout?: number) {
    // A key given instead of a variable's name must not be shown.
    const isName = envKey === undefined || /^(?:\w{1,32}|(?:[A-Z\d]{1,32}_){1,8}[A-Z\d]{1,32})$/.test(envKey);
    const what =
      envKey === undefined
        ? `The apiKey function of the provider "${provider}" returned no key${timeout === undefined ? '' : ` within ${timeout} ms`}.`
        : `The provider "${provider}" needs an API key: set the environment variable ${isName ? envKey : 'named by envKey'}, or the provider's apiKey.`;
    super(sentences(what, instructions));
    this.envKey = isName ? envKey : undefined;
    this.instructions = instructions;
  }
}

/**
 * The provider has a setting that cannot be sent: an invalid base URL, or a key or header with a character that
 * HTTP does not allow. Nothing was sent.
 */
export class InvalidProviderError extends ChatCompletionsError {
  override get name() {
    return 'InvalidProviderError' as const;
  }
  /** Which setting: `baseUrl`, `apiKey`, or `headers.` and the header's name (`headers` alone if it may be a secret). */
  readonly setting: string;

  constructor(provider: string, setting: string, reason: string) {
    super(`The ${setting} of the provider "${provider}" is invalid: ${reason}.`);
    this.setting = setting;
  }
}

/**
 * The request cannot be serialised as JSON: a cycle, a BigInt, a `toJSON` that throws, or too many levels.
 * Nothing was sent.
 *
 * What to do: correct `part`. There is no `cause`, since the original error may quote the prompt.
 */
export class InvalidRequestError extends ChatCompletionsError {
  override get name() {
    return 'InvalidRequestError' as const;
  }
  /** The part of the body, such as `messages` or `tools`; `undefined` if unknown. */
  readonly part: string | undefined;

  constructor({ part, reason }: { readonly part?: string; readonly reason?: unknown } = {}) {
    const isName = part !== undefined && /^\w{1,64}$/.test(part);
    const thrown = reason === undefined ? undefined : className(reason);
    super(
      `The request cannot be serialised as JSON${parenthesised(thrown)}.${isName ? ` Check ${part}.` : ''}`,
    );
    this.part = isName ? part : undefined;
  }
}

/**
 * An error that is not the library's, such as one from an `apiKey` function or from one of your operators. Only
 * `toState()` wraps it; elsewhere it passes unchanged.
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

/** The class of a thrown value, without its message, which may quote a prompt. */
export function className(thrown: unknown): string {
  const name =
    thrown instanceof Error
      ? propertyOf(thrown, 'name')
      : propertyOf(propertyOf(thrown, 'constructor'), 'name');
  return typeof name === 'string' && /^[A-Za-z]\w{0,63}$/.test(name) ? name : typeof thrown;
}
