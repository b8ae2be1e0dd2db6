/** How the wait between two attempts grows. */
export interface BackoffOptions {
  /** Milliseconds before the second attempt. Default 200. */
  readonly initialDelay?: number | undefined;
  /** The factor from one wait to the next. Default 2. */
  readonly factor?: number | undefined;
  /**
   * How far a wait may vary in either direction, as a fraction from 0 to 1. Default 0.1, which is 0.9 to 1.1
   * times.
   */
  readonly jitter?: number | undefined;
  /** The longest wait, jitter included, in milliseconds. Default 60,000. */
  readonly maxDelay?: number | undefined;
  /** Returns a number from 0 to 1, for the jitter. Default `Math.random`. */
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
  // A power that overflows is Infinity, and 0 * Infinity is NaN.
  const longest = Math.min(maxDelay, Number.MAX_SAFE_INTEGER);
  const exact = initialDelay === 0 ? 0 : Math.min(initialDelay * factor ** (attempt - 1), longest);
  const jittered = exact * (1 - jitter + 2 * jitter * random());
  // A `random` that returns no number must not cause retries without a wait.
  return Number.isNaN(jittered) ? exact : Math.min(Math.max(0, Math.round(jittered)), longest);
}
