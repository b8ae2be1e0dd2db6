import {
  type HttpClient,
  HttpErrorResponse,
  type HttpEvent,
  HttpEventType,
  HttpHeaders,
} from '@angular/common/http';
import { Observable, type Subscriber, Subscription } from 'rxjs';
import { type HttpResponse, type Transport, TransportError } from 'rxjs-chat-completions';

/**
 * A transport over Angular's `HttpClient`, so that interceptors run for turns: tokens, tracing, error
 * pages, whatever the application has.
 *
 * What that costs, against `fetchTransport()` (the README has figures):
 * - `HttpClient` hands out the whole text so far with each read (`partialText`), keeps the bytes beside it
 *   and joins and decodes them once more at the end. The answer stands in memory until it is over, and
 *   `demand` goes unheard: nothing slows the provider down.
 * - Bytes become text, and are made bytes again here.
 * - With `withFetch()` the headers come as they arrive, and redirects are refused. The `XMLHttpRequest`
 *   backend tells of headers with the first bytes of the body, reports every 50 ms at the most, and follows
 *   redirects with the prompt, unseen.
 * - A request of `HttpClient` is a pending task: rendering on a server waits for its end, where a turn over
 *   `fetchTransport()` is not waited for.
 * - Interceptors see a request that lasts as long as the answer. One that retries, caches, or reads only
 *   the last event of a request holds the stream back or repeats it.
 */
export function httpClientTransport(http: HttpClient): Transport {
  return ({ url, method, headers, body }) =>
    new Observable<HttpResponse>((subscriber) => {
      const request = new Subscription();
      let reader: Subscriber<Uint8Array> | undefined;
      let isHandedOver = false;
      let seen = 0;

      function handOver(status: number, responseHeaders: HttpHeaders): void {
        isHandedOver = true;
        const answer: HttpResponse = {
          status,
          headers: responseHeaders,
          body: new Observable((taker) => {
            if (reader !== undefined) {
              taker.error(new Error('The body of an answer can be read once.'));
              return;
            }
            reader = taker;
            // From here on the body owns the connection.
            taker.add(request);
          }),
        };
        subscriber.next(answer);
        if (reader === undefined) request.unsubscribe();
        subscriber.complete();
      }

      /** Code points are never cut: `HttpClient` decodes them whole. */
      function read(text: string): void {
        if (text.length === seen) return;
        const bytes = encoder.encode(text.slice(seen));
        seen = text.length;
        reader?.next(bytes);
      }

      function follow(event: HttpEvent<string>): void {
        switch (event.type) {
          case HttpEventType.ResponseHeader:
            // How `fetch` shows a redirect that it was told not to follow.
            if (event.status === 0) subscriber.error(refusedRedirect());
            else handOver(event.status, event.headers);
            return;
          case HttpEventType.DownloadProgress:
            read(('partialText' in event ? event.partialText : undefined) ?? '');
            return;
          case HttpEventType.Response:
            // An interceptor may answer by itself, with nothing before this.
            if (!isHandedOver) handOver(event.status, event.headers);
            read(event.body ?? '');
            reader?.complete();
        }
      }

      function fail(error: unknown): void {
        if (!(error instanceof HttpErrorResponse)) {
          (reader ?? subscriber).error(error);
          return;
        }
        const { status, headers: responseHeaders } = error;
        const text: unknown = error.error;
        if (status === 0 || (status >= 200 && status < 300)) {
          (reader ?? subscriber).error(text);
          return;
        }
        // A status that `HttpClient` calls an error is an answer like any other.
        if (!isHandedOver) handOver(status, responseHeaders);
        if (typeof text === 'string') read(text);
        reader?.complete();
      }

      request.add(
        http
          .request(method, url, {
            body,
            headers: new HttpHeaders({ ...headers }),
            observe: 'events',
            reportProgress: true,
            responseType: 'text',
            redirect: 'manual',
          })
          .subscribe({
            next: follow,
            error: fail,
            complete: () => (reader ?? subscriber).error(new Error('The request ended without an answer.')),
          }),
      );
      return () => {
        if (!isHandedOver) request.unsubscribe();
      };
    });
}

const encoder = new TextEncoder();

const refusedRedirect = () =>
  new TransportError({
    message: 'The provider answered with a redirect, which is refused.',
    retryable: false,
  });
