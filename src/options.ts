import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { type Demand, turnDemand, type TurnDemand } from './flow/demand.js';
import { diagnose, type DiagnosticsListener, type TurnDiagnostics } from './turn/diagnostics.js';
import type { RequestFailure } from './turn/errors.js';
import type { ChatParams } from './prompt/chat-params.js';
import type { ReasoningField } from './prompt/messages.js';
import type { ResponseFormat, ToolChoice } from './prompt/tools.js';
import type { ModelProvider } from './provider/model-provider.js';
import type { BackoffOptions } from './flow/backoff.js';
import type { Admission } from './request/admission.js';
import { fetchTransport } from './request/fetch-transport.js';
import type { AttemptCount } from './request/send-request.js';
import type { Transport } from './request/transport.js';

/** When and how often a failed request is retried. Nothing is retried once the response has begun to stream. */
export interface RetryOptions extends BackoffOptions {
  /** Retries after the first request. Default: the provider's, else 4. */
  readonly maxRetries?: number | undefined;
  /** The longest wait that a provider may ask for, in milliseconds; a longer one fails at once. Default 60,000. */
  readonly maxRetryAfter?: number | undefined;
  /**
   * Which failures to retry. Default: those with `retryable` set, which are transport failures, 429 (unless the
   * account's or the day's quota is exceeded) and 5xx, unless the provider's `x-should-retry` says otherwise.
   */
  readonly retryable?: ((failure: RequestFailure) => boolean) | undefined;
}

/** How to run a turn. Options override provider settings, which override defaults. */
export interface TurnOptions {
  readonly provider: ModelProvider;
  /** Default `fetchTransport()`. */
  readonly transport?: Transport | undefined;
  readonly retry?: RetryOptions | undefined;
  /** Decides when each attempt may start; a rate limiter is one. Default: at once. */
  readonly admission?: Admission | undefined;
  /** Milliseconds to wait for the response headers of each attempt. Default: no limit. */
  readonly responseTimeout?: number | undefined;
  /**
   * Milliseconds that may pass without an event. Default: the provider's, else 300,000. `Infinity`: no limit.
   */
  readonly idleTimeout?: number | undefined;
  /** What resets `idleTimeout`: an event, or any byte, keep-alive comments included. Default `'events'`. */
  readonly idleOn?: 'events' | 'bytes' | undefined;
  /**
   * Milliseconds to wait for the rest of the stream, such as the usage and `[DONE]`, once each choice has its finish
   * reason; comments do not reset it. Then the turn completes. Default 10,000, or `idleTimeout` if that is shorter.
   */
  readonly finishTimeout?: number | undefined;
  /** Maximum size of one event, or of a JSON response, in bytes. Default 33,554,432 (32 MiB). */
  readonly maxEventSize?: number | undefined;
  /**
   * Maximum number of JSON values in one event, or in a JSON response, counted as opening brackets, commas and
   * colons outside strings. Default 1,000,000.
   */
  readonly maxEventValues?: number | undefined;
  /** Asks for the token usage (`stream_options`), which some providers reject. Default `false`. */
  readonly includeUsage?: boolean | undefined;
  /** Emits a `retrying` event for each retry. Default `false`. */
  readonly includeRetries?: boolean | undefined;
  /** Emits each chunk as received, in a `chunk` event. Default `false`. */
  readonly includeChunks?: boolean | undefined;
  /** Pauses reading while a consumer holds it. Default: the network is read as fast as it delivers. */
  readonly demand?: Demand | undefined;
  /** Called with diagnostic events. Errors that it throws are ignored. */
  readonly diagnostics?: DiagnosticsListener | undefined;
  /** Returns a number from 0 to 1, for the ids of calls that arrive without one. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Runs every timer of the turn. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** Everything that configures a turn, apart from its prompt. */
export interface ChatOptions extends TurnOptions {
  readonly model: string;
  /**
   * Merged into the request body. A parameter that the turn sets itself (`model`, `messages`, `stream`, and
   * those that the prompt or the options below provide) is an error.
   */
  readonly params?: ChatParams | undefined;
  /** Whether the model must call a tool, and which. */
  readonly toolChoice?: ToolChoice | undefined;
  /** Whether the model may call several tools at once. */
  readonly parallelToolCalls?: boolean | undefined;
  /** The output format, such as a JSON schema. */
  readonly responseFormat?: ResponseFormat | undefined;
  /**
   * The field in which the prompt's reasoning is sent back to the provider; `false` sends none. Default: the
   * provider's, else only what the same provider needs back (signatures, `reasoning_details`), without the
   * text.
   */
  readonly sendReasoning?: ReasoningField | false | undefined;
}

export const defaults = {
  maxRetries: 4,
  maxRetryAfter: 60_000,
  idleTimeout: 300_000,
} as const;

/** One subscription: its resolved settings, and its state. */
export interface OpenTurn extends AttemptCount {
  readonly options: TurnOptions;
  readonly provider: ModelProvider;
  readonly transport: Transport;
  readonly maxRetries: number;
  readonly maxRetryAfter: number;
  readonly responseTimeout: number;
  readonly idleTimeout: number;
  readonly choiceCount: number;
  readonly scheduler: SchedulerLike;
  readonly demand: TurnDemand | undefined;
  readonly log: TurnDiagnostics;
}

export function openTurn(options: TurnOptions, choiceCount: number): OpenTurn {
  const { provider, transport = fetchTransport(), retry, scheduler = asyncScheduler } = options;
  return {
    options,
    provider,
    transport,
    scheduler,
    maxRetries: retry?.maxRetries ?? provider.maxRetries ?? defaults.maxRetries,
    maxRetryAfter: retry?.maxRetryAfter ?? defaults.maxRetryAfter,
    responseTimeout: options.responseTimeout ?? Infinity,
    idleTimeout: options.idleTimeout ?? provider.idleTimeout ?? defaults.idleTimeout,
    choiceCount,
    demand: options.demand && turnDemand(options.demand, scheduler),
    log: diagnose(options.diagnostics),
    attempt: 0,
    failures: [],
    ownError: undefined,
  };
}

/** Checks an option's value, or its absence: `true`, or what it must be. */
type Check = (value: unknown) => true | string;

export type Checks<Options = Readonly<Record<string, unknown>>> = {
  readonly [Name in keyof Options]-?: Check;
};

const unchecked: Check = () => true;

const amount: Check = (value = 0) => (typeof value === 'number' && value >= 0) || 'a number of at least 0';

export const limit: Check = (value = 1) =>
  (typeof value === 'number' && value >= 1) || 'a number of at least 1';

const retryChecks: Checks<RetryOptions> = {
  maxRetries: amount,
  initialDelay: amount,
  factor: amount,
  jitter: (value = 0) => (typeof value === 'number' && value >= 0 && value <= 1) || 'a number from 0 to 1',
  maxDelay: amount,
  maxRetryAfter: amount,
  retryable: unchecked,
  random: unchecked,
};

const providerChecks: Checks<Pick<ModelProvider, 'apiKeyTimeout' | 'maxRetries' | 'idleTimeout' | 'deltas'>> =
  {
    apiKeyTimeout: limit,
    maxRetries: amount,
    idleTimeout: limit,
    deltas: (value = 'incremental') =>
      value === 'incremental' || value === 'cumulative' || "'incremental' or 'cumulative'",
  };

/** The options of every turn. */
export const turnChecks: Checks<TurnOptions> = {
  provider: (value) =>
    typeof (value as Partial<ModelProvider> | null | undefined)?.baseUrl === 'string' ||
    'an object with a baseUrl, such as builtInProviders.openai',
  transport: (value) =>
    value === undefined || typeof value === 'function' || 'a function, such as fetchTransport()',
  retry: unchecked,
  admission: (value) => value === undefined || typeof value === 'function' || 'a function',
  responseTimeout: limit,
  idleTimeout: limit,
  finishTimeout: limit,
  idleOn: (value = 'events') => value === 'events' || value === 'bytes' || "'events' or 'bytes'",
  maxEventSize: limit,
  maxEventValues: limit,
  includeUsage: unchecked,
  includeRetries: unchecked,
  includeChunks: unchecked,
  // Not `instanceof`: a program may load the library twice, as ESM and as CommonJS.
  demand: (value) =>
    value === undefined || typeof (value as Demand | null)?.hold === 'function' || 'a Demand',
  diagnostics: unchecked,
  random: unchecked,
  scheduler: unchecked,
};

/** The options of a turn with a prompt. */
export const chatChecks: Checks<ChatOptions> = /* @__PURE__ */ Object.assign(
  {
    model: unchecked,
    params: unchecked,
    toolChoice: unchecked,
    parallelToolCalls: unchecked,
    responseFormat: unchecked,
    sendReasoning: unchecked,
  },
  turnChecks,
);

/**
 * Checks what types cannot: JavaScript callers, unknown names, and ranges of numbers.
 *
 * @param checks - the options that the caller accepts
 * @throws TypeError that names the option
 */
export function checkOptions(options: TurnOptions, checks: Checks = chatChecks): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('options must be an object.');
  const { provider, retry } = options;
  checkNames('', options, checks, checks);
  checkNames('retry.', retry ?? {}, retryChecks, checks);
  checkValues('', options, checks);
  checkValues('retry.', retry ?? {}, retryChecks);
  checkValues('provider.', provider, providerChecks);
}

function checkValues(place: string, given: object, checks: Checks): void {
  // Not with Object.entries(), which costs each turn about 2 µs.
  for (const name in checks) {
    const isValid = checks[name]?.((given as Readonly<Record<string, unknown>>)[name]);
    if (isValid !== true) throw new TypeError(`options.${place}${name} must be ${isValid}.`);
  }
}

/** @throws TypeError for an unknown option, suggesting the one that was probably meant */
function checkNames(place: string, given: object, known: Checks, options: Checks): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || Object.hasOwn(known, name)) continue;
    const meant = [
      ...Object.keys(options),
      ...Object.keys(retryChecks).map((other) => `retry.${other}`),
      'provider.apiKey',
      'provider.baseUrl',
      'provider.headers',
    ].find((other) => plain(other) === plain(name));
    const params = 'params' in options ? 'options.params' : 'the body';
    const elsewhere = place === '' ? `: request parameters go in ${params}.` : '.';
    const hint = meant === undefined ? elsewhere : `: did you mean options.${meant}?`;
    throw new TypeError(`Unknown option "${place}${name}"${hint}`);
  }
}

/** A name without its path, spelled alike in camelCase and snake_case. */
const plain = (name: string): string => name.replace(/^.*\.|_/g, '').toLowerCase();
