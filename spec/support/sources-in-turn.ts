import { defer, NEVER, type Observable } from 'rxjs';

/** One of the sources for each subscription, in their order, and silence from then on. */
export function sourcesInTurn<T>(...sources: readonly Observable<T>[]): Observable<T> {
  const rest = [...sources];
  return defer(() => rest.shift() ?? NEVER);
}
