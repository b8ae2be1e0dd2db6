import { Observable, type Subscriber } from 'rxjs';
import { StreamError } from '../turn/errors.js';
import type { HttpHeaders } from '../turn/wire.js';

/** One POST to a provider. */
export interface HttpRequest {
  readonly url: string;
  readonly method: 'POST';
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
  /**
   * Called between two reads of the response body: the next read follows its first value, or follows at once if
   * it is absent. If it errors, the body errors with the same error.
   */
  readonly demand?: () => Observable<unknown>;
}

/** A provider's response, available once the headers have arrived. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  /**
   * The response bytes. It can be subscribed once and owns the connection: unsubscribing aborts it, an error
   * means that it broke, and completion that it ended.
   */
  readonly body: Observable<Uint8Array>;
}

/**
 * Sends a request. Every transport of this library is tested against this contract:
 *
 * - It emits exactly one response, with any status, as soon as the headers arrive, then completes. It errors
 *   only if there is no response.
 * - Until it has emitted, unsubscribing aborts. From then on the body owns the connection.
 * - A body that is not subscribed by the time `next` returns is cancelled.
 * - Nothing is aborted once the body has ended.
 */
export type Transport = (request: HttpRequest) => Observable<HttpResponse>;

/** What a transport has in hand when the headers are there. */
export interface OpenResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** The bytes as they come; complete where the answer is complete. */
  readonly bytes: Observable<Uint8Array>;
  /** Ends the connection at once; does nothing where the bytes have completed. Called once at most. */
  abort(): void;
}

/**
 * The hand-over, the same in every transport: emits the response, completes, and leaves the
 * connection to the body; ends it where nobody took the body.
 */
export function handOver(subscriber: Subscriber<HttpResponse>, open: OpenResponse): void {
  const { status, headers, bytes } = open;
  let isTaken = false;
  const body = new Observable<Uint8Array>((reader) => {
    if (isTaken)
      throw new StreamError({ message: 'A response body can be read only once.', retryable: false });
    isTaken = true;
    reader.add(() => open.abort());
    return bytes.subscribe(reader);
  });
  subscriber.next({ status, headers, body });
  if (!isTaken) {
    isTaken = true;
    open.abort();
  }
  subscriber.complete();
}
