import { map, Observable } from 'rxjs';
import type { RunHelpers } from 'rxjs/testing';
import { handOver, type HttpRequest, type HttpResponse, type Transport } from '../request/transport.js';
import {
  type AnswerHead,
  connectionOf,
  counted,
  readOnDemand,
  scriptError,
  toBytes,
  toHeaders,
} from './answer.js';

/** A response in marbles. */
export interface MarbleAnswer extends AnswerHead {
  /**
   * When the headers arrive, counted from the request: any value. Default `'r'`, at once. `'--#'` is a
   * connection that fails, `'-'` a provider that never responds.
   */
  readonly response?: string;
  /**
   * The body, counted from the headers: each letter is one network read. Default `'|'`. `#` is a break;
   * without `|` or `#` the provider falls silent after the last letter.
   */
  readonly body?: string;
  /** The values of the letters in `body`; a missing letter stands for itself. */
  readonly frames?: Readonly<Record<string, string | Uint8Array>>;
  /** The error of a `#`, in `response` and in `body`. Default `'error'`. */
  readonly error?: unknown;
}

type Cold = ReturnType<RunHelpers['cold']>;

/**
 * The two Observables of one response, for `expectSubscriptions`: `subscriptions` shows when the connection was
 * opened, and when it ended or was aborted.
 */
export interface MarbleConnection {
  /** Subscribed while waiting for the headers. */
  readonly response: Cold;
  /** Subscribed while the body is read. */
  readonly body: Cold;
}

export interface MarbleTransport extends Transport {
  /** The requests so far. */
  readonly requests: readonly HttpRequest[];
  /**
   * How many requests were aborted: before the headers, inside the body, or because nobody subscribed to the
   * body.
   */
  readonly aborted: number;
  /** One for each response, in order. */
  readonly connections: readonly MarbleConnection[];
}

/**
 * A transport whose responses are drawn in marbles, one for each request in turn, inside `TestScheduler.run`,
 * so that waits of any length take no time. Set `retry: { jitter: 0 }` to draw a backoff, which otherwise
 * varies by 10 %. A request beyond the last response fails with an error that is not retried.
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
 * @param helpers - the helpers of `TestScheduler.run`
 * @param answers - the response to each request
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
        fail(
          scriptError(`marbleTransport has ${counted(answers.length)}; request ${requests.length} has none.`),
        );
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
