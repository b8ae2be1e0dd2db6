import { defer, fromEvent, type Observable, of } from 'rxjs';

/** Emits when a signal is aborted, at once if it already is. */
export const aborted = (signal: AbortSignal): Observable<unknown> =>
  defer(() => (signal.aborted ? of(true) : fromEvent(signal, 'abort')));
