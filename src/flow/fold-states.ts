import { catchError, concat, defer, distinctUntilChanged, map, of, type OperatorFunction } from 'rxjs';

/** A fold whose result is shown to people. */
export interface StateFold<Event, State> {
  /** The state before the first event. */
  readonly first: State;
  /** The state after an event; the same object if the event changes nothing. */
  after(state: State, event: Event): State;
  /** The state once the source is complete; the same object if it was already over. */
  ended(state: State): State;
  failed(state: State, error: unknown): State;
}

/**
 * Emits the first state at once, then every changed state, and never errors: an error becomes a state, and so
 * does a source that completes too early.
 *
 * ```
 * source   --a--b--#
 *          foldStates(fold)
 * result   0-A--B--(E|)
 * ```
 */
export function foldStates<Event, State>(fold: StateFold<Event, State>): OperatorFunction<Event, State> {
  return (source) =>
    defer(() => {
      let state = fold.first;
      return concat(
        of(state),
        source.pipe(map((event) => (state = fold.after(state, event)))),
        defer(() => of((state = fold.ended(state)))),
      ).pipe(
        catchError((error: unknown) => of(fold.failed(state, error))),
        distinctUntilChanged(),
      );
    });
}
