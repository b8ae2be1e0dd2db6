import { asyncScheduler, Observable, type SchedulerLike, type Subscriber, Subscription } from 'rxjs';
import { checkLimit, clampDelay } from '../flow/timers.js';
import type { Diagnostic, DiagnosticsListener } from '../turn/diagnostics.js';
import type { TokenUsage } from '../turn/events.js';
import { rateLimitOf, retryAfter } from '../turn/retry-after.js';
import { UnexpectedStatusError } from '../turn/errors.js';
import type { HttpHeaders } from '../turn/wire.js';

export interface RateLimiterOptions {
  /** Requests in each `per`. Default: any number. */
  readonly requests?: number | undefined;
  /** Tokens in each `per`, of prompts and answers together. Default: any number. */
  readonly tokens?: number | undefined;
  /** The time that `requests` and `tokens` are meant for, in milliseconds. Default 60,000. */
  readonly per?: number | undefined;
  /** How many attempts may run at a time, until their answers have ended. Default: any number. */
  readonly concurrency?: number | undefined;
  /** For the waits. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

export interface LimiterKey {
  /**
   * Whose turns these are: a user, or the account or model that the provider's limits belong to. Keys take turns, and
   * what a provider tells of its limits counts for the key that it was told to. Default `''`.
   */
  readonly key?: string | undefined;
  /** How many tokens a turn will cost, prompt and answer. Default: a quarter of the length of its request. */
  readonly tokens?: number | undefined;
}

/** What a turn's options need, to be spread into them. */
export interface LimitedOptions {
  readonly admission: (attempt: { readonly body: string }) => Observable<unknown>;
  /** Where the options have diagnostics of their own, call this from them. */
  readonly diagnostics: DiagnosticsListener;
}

export interface RateLimiter {
  /**
   * The options of the turns of one key.
   *
   * @throws TypeError where `tokens` is not a finite number of at least 0
   */
  for(key?: LimiterKey): LimitedOptions;
}

/** An attempt that waits, or runs. */
interface Attempt {
  readonly tokens: number;
  readonly subscriber: Subscriber<unknown>;
}

/** What a provider has told of a key's limits. */
interface Told {
  /** Nothing of the key is sent before. */
  closedUntil: number;
  /** What is left of requests and tokens until they are reset. */
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

/** No model takes more in one turn. A provider that says so would hold up all turns for as long as it likes. */
const mostTokens = 10_000_000;

const unlimited: Left = { amount: Infinity, until: -Infinity };

/**
 * A rate limit that turns share: requests and tokens per period, and how many at a time.
 *
 * Attempts wait in `admission`, before any of their timeouts starts, and a turn that is unsubscribed leaves the queue. The
 * limits are token buckets that refill continuously and are shared by all keys. Waiting keys take turns, and a key's
 * attempts are admitted in order. None starves: if the next in turn needs more than is available, the others wait with
 * it.
 *
 * It learns from answers: a `Retry-After` or a 429 closes the gate for all turns of its key, and
 * `x-ratelimit-remaining-*` counts until `x-ratelimit-reset-*`. Tokens are an estimate until the turn is complete, and
 * then its `usage` (`includeUsage`).
 *
 * It covers one process. Across processes, rate-limiter-flexible counts in Redis: call it in an `admission` of your
 * own.
 *
 * @example
 * ```ts
 * const limiter = rateLimiter({ requests: 500, tokens: 200_000, per: 60_000, concurrency: 20 });
 *
 * streamChatCompletions('Hi', { model, provider, includeUsage: true, ...limiter.for({ key: 'alice' }) }).subscribe();
 * ```
 *
 * @throws TypeError where a limit is not a number of at least 1
 */
export function rateLimiter(options: RateLimiterOptions = {}): RateLimiter {
  const { concurrency = Infinity, per = 60_000, scheduler = asyncScheduler } = options;
  for (const name of ['requests', 'tokens', 'per', 'concurrency'] as const) {
    const { [name]: value = 1 } = options;
    checkLimit(name, value);
  }
  const requests = bucket(options.requests, per);
  const tokens = bucket(options.tokens, per);
  /** Those that wait or run, or of which something was told. */
  const keys = new Map<string, KeyState>();
  /** Those that wait: for their turn, the next first; and for their provider, until then. */
  const inTurn = new Set<KeyState>();
  const shut = new Map<KeyState, number>();
  /** When the first of those opens, or has opened that has left since: they may be many, and are not asked before. */
  let firstOpens = Infinity;
  /** Those of which something was told, and no more. */
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

  /** When the next attempt of a key may begin, as far as its provider is concerned. */
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
    // Its turn is over: it goes behind the other keys.
    inTurn.delete(state);
    place(state);
    attempt.subscriber.next(undefined);
  }

  /** Admits the next attempt that may begin now; else tells how long that will be, as far as it is known. */
  function admitNext(now: number): number {
    for (const state of inTurn) {
      if (running >= concurrency) return Infinity;
      const [attempt] = state.waiting;
      if (attempt === undefined) continue;
      const opens = opensAt(state, attempt.tokens, now);
      if (opens > now) {
        // Its provider holds it back, which is no matter of the others.
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

  /** Puts those in turn whose provider holds them back no longer. */
  function open(now: number): void {
    firstOpens = Infinity;
    for (const [state, opens] of shut) {
      if (opens <= now) place(state);
      else firstOpens = Math.min(firstOpens, opens);
    }
  }

  /** Admits whatever may begin, and sets the timer for what may later. */
  function advance(): void {
    // A turn that is admitted may end, or begin another, before it returns.
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

  /** Forgets keys of which nothing that was told still holds: two for each that comes, so that none stays. */
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
    // What runs beside this one is not in its figures.
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
      /** What the turns that run were taken to cost. */
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

/** Whether nothing that was told of a key still holds. */
const isOver = ({ closedUntil, requests, tokens }: Told, now: number): boolean =>
  Math.max(closedUntil, requests.until, tokens.until) <= now;

/** So much in a time, refilled all the time, and full at the beginning. */
interface Bucket {
  /** How long until so much is there, or the bucket is full, in milliseconds. */
  waitFor(need: number, now: number): number;
  /** Takes so much, at the time that `waitFor` was last asked for; or gives it back. */
  take(amount: number): void;
}

const endless: Bucket = { waitFor: () => 0, take: () => undefined };

function bucket(size: number | undefined, per: number): Bucket {
  if (size === undefined || size === Infinity) return endless;
  let level = size;
  let filledAt = -Infinity;
  return {
    waitFor(need, now) {
      // A clock that is set back refills nothing, and takes nothing.
      if (filledAt !== -Infinity) level = Math.min(size, level + (Math.max(0, now - filledAt) * size) / per);
      filledAt = now;
      // What needs more than there can ever be begins with a full bucket, and leaves a debt.
      const missing = Math.min(need, size) - level;
      return missing <= 0 ? 0 : Math.ceil((missing * per) / size);
    },
    take(amount) {
      level = Math.min(size, level - amount);
    },
  };
}
