/** How the wait between two attempts grows. */
export interface BackoffOptions {
  /** Milliseconds before the second attempt. Default 200. */
  readonly initialDelay?: number | undefined;
  /** What each wait is multiplied by for the next. Default 2. */
  readonly factor?: number | undefined;
  /** How far a wait may differ to either side, as a fraction of it from 0 to 1. Default 0.1: 0.9 to 1.1. */
  readonly jitter?: number | undefined;
  /** The longest wait, jitter included, in milliseconds. Default 60,000. */
  readonly maxDelay?: number | undefined;
  /** A number from 0 to 1, for the jitter. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/**
 * The wait after a failed attempt, in milliseconds: 200, doubled with each attempt, give or take 10 %.
 *
 * @example
 * ```ts
 * backoff(1, { jitter: 0 }); // 200
 * backoff(4, { jitter: 0 }); // 1600
 * ```
 *
 * @param attempt - the attempt that failed; the first is 1
 */
export function backoff(attempt: number, options: BackoffOptions = {}): number {
  const { initialDelay = 200, factor = 2, jitter = 0.1, maxDelay = 60_000, random = Math.random } = options;
  // A power that overflows is Infinity, and 0 times that would be no number.
  const longest = Math.min(maxDelay, Number.MAX_SAFE_INTEGER);
  const exact = initialDelay === 0 ? 0 : Math.min(initialDelay * factor ** (attempt - 1), longest);
  const jittered = exact * (1 - jitter + 2 * jitter * random());
  // A `random` that gives no number must not make a loop without a wait.
  return Number.isNaN(jittered) ? exact : Math.min(Math.max(0, Math.round(jittered)), longest);
}
