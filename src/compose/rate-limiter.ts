import { asyncScheduler, Observable, type SchedulerLike, type Subscriber, Subscription } from 'rxjs';
import { checkLimit, clampDelay } from '../flow/timers.js';
import type { Diagnostic, DiagnosticsListener } from '../turn/diagnostics.js';
import type { TokenUsage } from '../turn/events.js';
import { rateLimitOf, retryAfter } from '../turn/retry-after.js';
import { UnexpectedStatusError } from '../turn/errors.js';
import type { HttpHeaders } from '../turn/wire.js';

export interface RateLimiterOptions {
  /** Requests per `per`. Default: no limit. */
  readonly requests?: number | undefined;
  /** Tokens per `per`, input and output together. Default: no limit. */
  readonly tokens?: number | undefined;
  /** The period of `requests` and `tokens`, in milliseconds. Default 60,000. */
  readonly per?: number | undefined;
  /** How many attempts may run at the same time, until their responses have ended. Default: no limit. */
  readonly concurrency?: number | undefined;
  /** Times the waits. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

export interface LimiterKey {
  /**
   * Groups turns: by user, or by the account or model that the provider's limits apply to. Keys take turns, and
   * limits that a provider reports apply to the key of that request. Default `''`.
   */
  readonly key?: string | undefined;
  /** How many tokens a turn will use, input and output. Default: a quarter of the length of its request. */
  readonly tokens?: number | undefined;
}

/** Options to spread into a turn's options. */
export interface LimitedOptions {
  readonly admission: (attempt: { readonly body: string }) => Observable<unknown>;
  /** If the options already have a `diagnostics` listener, call this one from it. */
  readonly diagnostics: DiagnosticsListener;
}

export interface RateLimiter {
  /**
   * The options for turns with this key.
   *
   * @throws TypeError if `tokens` is not a finite number of at least 0
   */
  for(key?: LimiterKey): LimitedOptions;
}

/** A waiting or running attempt. */
interface Attempt {
  readonly tokens: number;
  readonly subscriber: Subscriber<unknown>;
}

/** A key's limits as reported by the provider. */
interface Told {
  /** Nothing with this key is sent before. */
  closedUntil: number;
  /** The requests and tokens that remain until the reset. */
  requests: Left;
  tokens: Left;
}

interface Left {
  readonly amount: number;
  readonly until: number;
}

interface KeyState extends Told {
  readonly key: string;
  readonly waiting: Set<Attempt>;
  running: number;
}

/** No model uses more in one turn. A provider that reports more could block all turns indefinitely. */
const mostTokens = 10_000_000;

const unlimited: Left = { amount: Infinity, until: -Infinity };

/**
 * A rate limit shared by turns: requests and tokens per period, and concurrency.
 *
 * Attempts wait in `admission`, before any of their timeouts starts, and an unsubscribed turn leaves the queue.
 * The limits are token buckets that refill continuously and are shared by all keys. Waiting keys take turns,
 * and a key's attempts are admitted in order. None starves: if the next in turn needs more than is available,
 * the others wait with it.
 *
 * It adapts to responses: a `Retry-After` or a 429 blocks all turns with the same key, and
 * `x-ratelimit-remaining-*` applies until `x-ratelimit-reset-*`. Tokens are estimated until the turn completes,
 * and then taken from its `usage` (`includeUsage`).
 *
 * It works within one process. Across processes, use a counter in Redis, such as rate-limiter-flexible, from
 * your own `admission`.
 *
 * @example
 * ```ts
 * const limiter = rateLimiter({ requests: 500, tokens: 200_000, per: 60_000, concurrency: 20 });
 *
 * streamChatCompletions('Hi', { model, provider, includeUsage: true, ...limiter.for({ key: 'alice' }) }).subscribe();
 * ```
 *
 * @throws TypeError if a limit is not a number of at least 1
 */
export function rateLimiter(options: RateLimiterOptions = {}): RateLimiter {
  const { concurrency = Infinity, per = 60_000, scheduler = asyncScheduler } = options;
  for (const name of ['requests', 'tokens', 'per', 'concurrency'] as const) {
    const { [name]: value = 1 } = options;
    checkLimit(name, value);
  }
  const requests = bucket(options.requests, per);
  const tokens = bucket(options.tokens, per);
  /** Keys with waiting or running attempts, or with reported limits. */
  const keys = new Map<string, KeyState>();
  /**
   * Keys with waiting attempts: those in turn, the next one first, and those blocked by their provider, with
   * the time.
   */
  const inTurn = new Set<KeyState>();
  const shut = new Map<KeyState, number>();
  /**
   * When the first of those opens, or one that has left since: there may be many, and none is checked earlier.
   */
  let firstOpens = Infinity;
  /** Keys with reported limits and nothing else. */
  const idle = new Set<KeyState>();
  let running = 0;
  let isAdmitting = false;
  let timer = Subscription.EMPTY;

  function stateOf(key: string): KeyState {
    let state = keys.get(key);
    if (state === undefined) {
      state = {
        key,
        waiting: new Set(),
        running: 0,
        closedUntil: -Infinity,
        requests: unlimited,
        tokens: unlimited,
      };
      keys.set(key, state);
    }
    return state;
  }

  /** When the provider's limits allow a key's next attempt. */
  function opensAt(
    { closedUntil, requests: asked, tokens: spent }: KeyState,
    need: number,
    now: number,
  ): number {
    const ends = [closedUntil];
    if (asked.amount < 1 && asked.until > now) ends.push(asked.until);
    if (spent.amount < need && spent.until > now) ends.push(spent.until);
    return Math.max(...ends);
  }

  /** Puts a key where it belongs. */
  function place(state: KeyState): void {
    shut.delete(state);
    idle.delete(state);
    if (state.waiting.size > 0) inTurn.add(state);
    else {
      inTurn.delete(state);
      if (state.running === 0) idle.add(state);
    }
  }

  function admit(state: KeyState, attempt: Attempt): void {
    state.waiting.delete(attempt);
    state.running += 1;
    running += 1;
    requests.take(1);
    tokens.take(attempt.tokens);
    state.requests = less(state.requests, 1);
    state.tokens = less(state.tokens, attempt.tokens);
    // Its turn is over: it goes to the end of the queue.
    inTurn.delete(state);
    place(state);
    attempt.subscriber.next(undefined);
  }

  /** Admits the next attempt if it may begin now; else returns the wait, as far as it is known. */
  function admitNext(now: number): number {
    for (const state of inTurn) {
      if (running >= concurrency) return Infinity;
      const [attempt] = state.waiting;
      if (attempt === undefined) continue;
      const opens = opensAt(state, attempt.tokens, now);
      if (opens > now) {
        // Its provider blocks it, which does not concern the other keys.
        inTurn.delete(state);
        shut.set(state, opens);
        firstOpens = Math.min(firstOpens, opens);
        continue;
      }
      const wait = Math.max(requests.waitFor(1, now), tokens.waitFor(attempt.tokens, now));
      if (wait === 0) admit(state, attempt);
      return wait;
    }
    return Infinity;
  }

  /** Queues the keys that their provider no longer blocks. */
  function open(now: number): void {
    firstOpens = Infinity;
    for (const [state, opens] of shut) {
      if (opens <= now) place(state);
      else firstOpens = Math.min(firstOpens, opens);
    }
  }

  /** Admits every attempt that may begin, and sets the timer for the next. */
  function advance(): void {
    // An admitted turn may end, or begin another, before this call returns.
    if (isAdmitting) return;
    isAdmitting = true;
    timer.unsubscribe();
    const now = scheduler.now();
    if (firstOpens <= now) open(now);
    let wait = 0;
    while (wait === 0) wait = admitNext(now);
    isAdmitting = false;
    if (shut.size === 0) firstOpens = Infinity;
    wait = Math.min(wait, firstOpens - now);
    if (wait !== Infinity) timer = scheduler.schedule(advance, clampDelay(wait));
  }

  /** Forgets keys whose reported limits have expired: two for each new key, so that none stays. */
  function sweep(now: number): void {
    let looks = 2;
    for (const state of idle) {
      if (looks === 0) return;
      looks -= 1;
      idle.delete(state);
      if (isOver(state, now)) keys.delete(state.key);
      else idle.add(state);
    }
  }

  function queue(key: string, need: number): Observable<unknown> {
    return new Observable((subscriber) => {
      sweep(scheduler.now());
      const state = stateOf(key);
      const attempt: Attempt = { tokens: need, subscriber };
      state.waiting.add(attempt);
      if (!shut.has(state)) place(state);
      subscriber.add(() => {
        if (!state.waiting.delete(attempt)) {
          state.running -= 1;
          running -= 1;
        }
        place(state);
        sweep(scheduler.now());
        advance();
      });
      advance();
    });
  }

  function learn(key: string, headers: HttpHeaders, status: number): void {
    const now = scheduler.now();
    const state = stateOf(key);
    const wait = retryAfter(headers, now);
    if (wait !== undefined && (status === 429 || status === 503)) close(state, now + wait);
    // Its headers do not count concurrent attempts.
    const others = Math.max(0, state.running - 1);
    state.requests = leftOf(headers, '-requests', now, others) ?? state.requests;
    state.tokens = leftOf(headers, '-tokens', now, 0) ?? state.tokens;
    place(state);
  }

  return {
    for({ key = '', tokens: given } = {}) {
      if (given !== undefined && !(Number.isFinite(given) && given >= 0))
        throw new TypeError('tokens must be a finite number of at least 0.');
      const needOf = (length: number) => given ?? length / 4;
      /** The estimated tokens of running turns. */
      const estimates = new Map<number, number>();

      function settle({
        turn,
        usage,
      }: {
        readonly turn: number;
        readonly usage: TokenUsage | undefined;
      }): void {
        const estimate = estimates.get(turn) ?? 0;
        estimates.delete(turn);
        if (usage !== undefined && usage.totalTokens > 0)
          tokens.take(Math.min(usage.totalTokens, mostTokens) - estimate);
      }

      return {
        admission: ({ body }) => queue(key, needOf(body.length)),
        diagnostics(diagnostic: Diagnostic) {
          if (diagnostic.type === 'request') estimates.set(diagnostic.turn, needOf(diagnostic.bodyLength));
          else if (diagnostic.type === 'response') {
            const { rateLimits, status } = diagnostic;
            learn(key, { get: (name) => rateLimits[name] ?? null }, status);
          } else if (diagnostic.type === 'retry') {
            const { error, delay } = diagnostic;
            if (!(error instanceof UnexpectedStatusError) || error.status !== 429) return;
            const state = stateOf(key);
            close(state, scheduler.now() + (error.retryAfter ?? delay));
            place(state);
          } else if (diagnostic.type === 'end') settle(diagnostic);
          else return;
          advance();
        },
      };
    },
  };
}

function close(state: Told, until: number): void {
  state.closedUntil = Math.max(state.closedUntil, until);
}

const less = ({ amount, until }: Left, taken: number): Left => ({ amount: amount - taken, until });

function leftOf(
  headers: HttpHeaders,
  limit: '-requests' | '-tokens',
  now: number,
  running: number,
): Left | undefined {
  const { remaining, wait } = rateLimitOf(headers, limit, now);
  return remaining === undefined || wait <= 0
    ? undefined
    : { amount: remaining - running, until: now + wait };
}

/** Whether a key's reported limits have expired. */
const isOver = ({ closedUntil, requests, tokens }: Told, now: number): boolean =>
  Math.max(closedUntil, requests.until, tokens.until) <= now;

/** A token bucket, refilled continuously and full at the start. */
interface Bucket {
  /** How long until this much is available, or the bucket is full, in milliseconds. */
  waitFor(need: number, now: number): number;
  /** Takes an amount, as of the last `waitFor`; a negative one is returned. */
  take(amount: number): void;
}

const endless: Bucket = { waitFor: () => 0, take: () => undefined };

function bucket(size: number | undefined, per: number): Bucket {
  if (size === undefined || size === Infinity) return endless;
  let level = size;
  let filledAt = -Infinity;
  return {
    waitFor(need, now) {
      // A clock that is set back neither refills nor takes.
      if (filledAt !== -Infinity) level = Math.min(size, level + (Math.max(0, now - filledAt) * size) / per);
      filledAt = now;
      // A need larger than the bucket starts when it is full, and leaves a debt.
      const missing = Math.min(need, size) - level;
      return missing <= 0 ? 0 : Math.ceil((missing * per) / size);
    },
    take(amount) {
      level = Math.min(size, level - amount);
    },
  };
}
