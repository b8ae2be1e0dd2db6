import { defer, Observable, type ObservableInput, Subscription } from 'rxjs';

/** The request that is about to be sent. */
export interface AdmissionRequest {
  /** The number of the attempt; the first is 1. */
  readonly attempt: number;
  /** The JSON that will be sent. */
  readonly body: string;
}

/**
 * Decides when an attempt may begin. It is called before each attempt and before its timeouts start, and its
 * first value admits the attempt. The subscription is held until the attempt has failed or its response has
 * ended; its teardown releases the slot. Its error ends the turn and is never retried.
 */
export type Admission = (attempt: AdmissionRequest) => ObservableInput<unknown>;

/**
 * An attempt that waits for admission. The emitted value carries the admission, which its receiver releases at
 * the end; if nothing is emitted, it is released here.
 *
 * ```
 * ask        ---x------
 * attempt       ---(a|)
 *            admitted(ask, attempt)
 * result     ------(a|)
 * ```
 */
export function admitted<T>(
  ask: () => ObservableInput<unknown>,
  attempt: Observable<T>,
): Observable<T & { readonly admission: Subscription }> {
  return new Observable((subscriber) => {
    const admission = new Subscription();
    const sending = new Subscription();
    let isAdmitted = false;
    let isSubscribed = false;
    let isHandedOver = false;
    const release = () => {
      if (!isHandedOver) admission.unsubscribe();
    };

    function begin(): void {
      sending.add(
        attempt.subscribe({
          next: (value) => {
            isHandedOver = true;
            subscriber.next({ ...value, admission });
            // Who could not take it does not release it.
            if (subscriber.closed) admission.unsubscribe();
          },
          error: (error: unknown) => {
            // Before the wait for the next attempt, which asks again.
            release();
            subscriber.error(error);
          },
          complete: () => subscriber.complete(),
        }),
      );
    }

    // It is aborted before another may begin in its place.
    subscriber.add(sending);
    subscriber.add(release);
    admission.add(
      defer(ask).subscribe({
        next: () => {
          if (isAdmitted) return;
          isAdmitted = true;
          if (isSubscribed) begin();
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          if (!isAdmitted) subscriber.error(new TypeError('options.admission completed without a value.'));
        },
      }),
    );
    isSubscribed = true;
    // What admits at once can be released only once it is held.
    if (isAdmitted && !subscriber.closed) begin();
  });
}
