import { catchError, concatMap, defer, EMPTY, type Observable, retry, tap, throwError, timer } from 'rxjs';
import {
  backoff,
  decodeEventStream,
  fromServerSentEvents,
  type HttpRequest,
  type Prompt,
  type ResponseEvent,
  StreamError,
  type Transport,
  TransportError,
  UnexpectedStatusError,
} from 'rxjs-chat-completions';

/** How often a broken connection is made again, within about 12 s. */
const attempts = 6;

/**
 * Turns of a backend of several instances that share them, each under an id of its own. One that was begun is followed:
 * from the start after a reload, and from the last event on where the connection broke, on whichever instance is left.
 *
 * Unsubscribing stops the turn at the provider. A page that is reloaded or closed does not come to that: it has left.
 */
export function sharedTurnsFromBackend(
  path: string,
  transport: Transport,
): (id: string, prompt: Prompt) => Observable<ResponseEvent> {
  const request = (url: string, body: unknown, headers: Record<string, string> = {}): HttpRequest => ({
    url,
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

  return (id, prompt) =>
    defer(() => {
      let last: string | undefined;
      let isOver = false;

      const turn = defer(() =>
        transport(
          request(
            `${path}/${id}`,
            { prompt },
            { Accept: 'text/event-stream', ...(last !== undefined && { 'Last-Event-ID': last }) },
          ),
        ),
      ).pipe(
        concatMap(({ status, headers, body }) => {
          // A proxy has nobody behind it now; what the backend says by itself is an answer.
          const isPassing = [502, 503, 504].includes(status) && headers.get('x-should-retry') !== 'false';
          if (status !== 200) throw new UnexpectedStatusError({ status, retryable: isPassing });
          return body;
        }),
        decodeEventStream(),
        fromServerSentEvents(),
      );

      return turn.pipe(
        tap((event) => {
          last = event.id ?? last;
          isOver = event.type === 'completed';
        }),
        retry({
          delay: (error: unknown, attempt) =>
            isBroken(error) && attempt <= attempts ? timer(backoff(attempt)) : throwError(() => error),
          resetOnSuccess: true,
        }),
        tap({
          unsubscribe() {
            if (!isOver) stop(id);
          },
        }),
      );
    });

  function stop(id: string): void {
    transport(request(`${path}/${id}/stop`, {}))
      .pipe(
        retry({ count: 3, delay: 500 }),
        // It ends by itself, later.
        catchError(() => EMPTY),
      )
      .subscribe();
  }
}

const isBroken = (error: unknown): boolean =>
  error instanceof StreamError ||
  error instanceof TransportError ||
  (error instanceof UnexpectedStatusError && error.retryable);
