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
   * Asked between two reads of the answer's body: the next read follows the first value. Absent, it
   * follows at once. If it errors, the body errors with the same error.
   */
  readonly demand?: () => Observable<unknown>;
}

/** A provider's answer, as soon as its headers are there. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  /**
   * The answer's bytes. It can be subscribed once and owns the connection: unsubscribing aborts it,
   * its error is the break, its completion the end.
   */
  readonly body: Observable<Uint8Array>;
}

/**
 * Sends a request. The contract, which every transport of this library is tested against:
 *
 * - It emits exactly one response, whatever its status, as soon as the headers are there, then
 *   completes. It errors only where no answer came.
 * - Until it has emitted, unsubscribing aborts. From then on the body owns the connection.
 * - A body that nobody has subscribed by the time `next` returns is cancelled.
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
    if (isTaken) throw new StreamError({ message: 'The body of an answer can be read once.' });
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
