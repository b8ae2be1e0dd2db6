import { backoff } from '../flow/backoff.js';

/** Milliseconds until the next attempt to reach Redis; attempts count from 1. */
export const pause = (attempt: number): number =>
  backoff(Math.min(attempt, 8), { initialDelay: 50, maxDelay: 1_000 });
