import { map, Observable } from 'rxjs';
import type { RunHelpers } from 'rxjs/testing';
import { handOver, type HttpRequest, type HttpResponse, type Transport } from '../request/transport.js';
import { type AnswerHead, connectionOf, readOnDemand, scriptError, toBytes, toHeaders } from './answer.js';

/** An answer drawn in marbles. */
export interface MarbleAnswer extends AnswerHead {
  /**
   * When the headers come, counted from the request: any value. Default `'r'`, at once. `'--#'` is a
   * connection that fails, `'-'` a provider that does not answer.
   */
  readonly response?: string;
  /**
   * The body, counted from the headers: each letter is one network read. Default `'|'`. `#` is a break;
   * without `|` or `#` the provider falls silent after the last letter.
   */
  readonly body?: string;
  /** What the letters of `body` stand for; a letter that is not here stands for itself. */
  readonly frames?: Readonly<Record<string, string | Uint8Array>>;
  /** The error of a `#`, in `response` and in `body`. Default `'error'`. */
  readonly error?: unknown;
}

type Cold = ReturnType<RunHelpers['cold']>;

/**
 * One answer's two Observables, for `expectSubscriptions`: each `subscriptions` says when the
 * connection was opened, and when it ended or was aborted.
 */
export interface MarbleConnection {
  /** Subscribed while the headers are waited for. */
  readonly response: Cold;
  /** Subscribed while the body is read. */
  readonly body: Cold;
}

export interface MarbleTransport extends Transport {
  /** The requests so far. */
  readonly requests: readonly HttpRequest[];
  /** How many of them were aborted: before the headers, inside the body, or because nobody took it. */
  readonly aborted: number;
  /** One for each answer, in order. */
  readonly connections: readonly MarbleConnection[];
}

/**
 * A transport whose answers are drawn in marbles, one for each request in turn, inside
 * `TestScheduler.run`, so that waits of any length take no time. A backoff is drawn with `retry: { jitter: 0 }`: by default it
 * strays by 10 %. A request beyond them fails with an
 * error that is not retried.
 *
 * ```
 * request 1   --429
 * request 2        --(retry-after)--200
 * body 2                              -a-b-!     (the reader left: aborted)
 * ```
 *
 * @example
 * ```ts
 * testScheduler.run((helpers) => {
 *   const transport = marbleTransport(helpers, [
 *     { response: '--r', status: 429, headers: { 'retry-after': '2' } },
 *     { response: '-r', body: '-a-b', frames: { a: textChunk('Hel'), b: textChunk('lo') } },
 *   ]);
 *   const turn = streamChatCompletions('Hi', { model: 'm', provider, transport });
 *   helpers.expectObservable(turn.pipe(textDeltas()), '-- 2s -----!').toBe('-- 2s --a-b-', { a: 'Hel', b: 'lo' });
 *   helpers.expectSubscriptions(transport.connections[1].body.subscriptions).toBe('-- 2s -^---!');
 * });
 * ```
 *
 * @param helpers - what `TestScheduler.run` hands out
 * @param answers - what each request is answered with
 * @returns the transport, with its requests, connections, and how many were aborted
 */
export function marbleTransport(
  { cold }: Pick<RunHelpers, 'cold'>,
  answers: readonly MarbleAnswer[],
): MarbleTransport {
  const requests: HttpRequest[] = [];
  let aborted = 0;
  const connections = answers.map(({ response = 'r', body = '|', error }) => ({
    response: cold(response, undefined, error),
    body: cold(body, undefined, error),
  }));

  const transport: Transport = (request) =>
    new Observable<HttpResponse>((subscriber) => {
      const index = requests.push(request) - 1;
      const connection = connections[index];
      let settled = false;
      const fail = (reason: unknown) => {
        settled = true;
        subscriber.error(reason);
      };
      if (connection === undefined) {
        fail(scriptError(`The marbles hold ${answers.length} answers; this is one request more.`));
        return undefined;
      }
      subscriber.add(() => {
        if (!settled) aborted += 1;
      });
      return connection.response.subscribe({
        next: () => {
          const { status = 200, headers, frames = {} } = answers[index] ?? {};
          settled = true;
          handOver(subscriber, {
            status,
            headers: toHeaders(headers),
            ...connectionOf(
              connection.body.pipe(
                map((letter) => toBytes(frames[letter] ?? letter)),
                readOnDemand(request),
              ),
              () => (aborted += 1),
            ),
          });
        },
        error: fail,
        complete: () => fail(scriptError(`The marbles of answer ${index + 1} complete without a response.`)),
      });
    });

  return Object.defineProperties(transport, {
    requests: { get: () => requests },
    aborted: { get: () => aborted },
    connections: { get: () => connections },
  }) as MarbleTransport;
}
