import type { Observable } from 'rxjs';

/** All that a synchronous source has said. */
export interface Recorded<T> {
  readonly events: readonly T[];
  readonly error: unknown;
  /** How many terminals came: one, where all is well. */
  readonly ended: number;
}

/** Subscribes to a source that ends at once, and keeps what it says. */
export function record<T>(source: Observable<T>): Recorded<T> {
  const events: T[] = [];
  let error: unknown;
  let ended = 0;
  source.subscribe({
    next: (event) => events.push(event),
    error: (reason: unknown) => {
      error = reason;
      ended += 1;
    },
    complete: () => (ended += 1),
  });
  return { events, error, ended };
}
