import { map, Observable } from 'rxjs';
import type { RunHelpers } from 'rxjs/testing';
import { handOver, type HttpRequest, type HttpResponse, type Transport } from '../request/transport.js';
import { type AnswerHead, toBytes, toHeaders } from './answer.js';

/** An answer drawn in marbles. */
export interface MarbleAnswer extends AnswerHead {
  /** When the headers come, counted from the request: any value. Default `'r'`, at once; `'--#'` is no answer. */
  readonly response?: string;
  /** The body, counted from the headers: each letter is one network read. Default `'|'`. */
  readonly body?: string;
  /** What the letters of `body` stand for; a letter that is not here stands for itself. */
  readonly frames?: Readonly<Record<string, string | Uint8Array>>;
  /** The error of a `#`, in `response` and in `body`. Default `'error'`. */
  readonly error?: unknown;
}

type Cold = ReturnType<RunHelpers['cold']>;

/** One answer's two Observables, for `expectSubscriptions`. */
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
 * `TestScheduler.run`.
 *
 * @example
 * ```ts
 * testScheduler.run((helpers) => {
 *   const transport = marbleTransport(helpers, [
 *     { response: '--r', status: 429, headers: { 'retry-after': '2' } },
 *     { body: '-a-b|', frames: { a: 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n', b: 'data: [DONE]\n\n' } },
 *   ]);
 *   const turn = streamChatCompletions('Hi', { model: 'm', provider, transport });
 *   helpers.expectObservable(turn.pipe(textDeltas())).toBe('-- 2s -a-|', { a: 'Hi' });
 *   helpers.expectSubscriptions(transport.connections[1].body.subscriptions).toBe('-- 2s ^---!');
 * });
 * ```
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
      if (connection === undefined) {
        subscriber.error(new Error(`The marbles hold ${answers.length} answers; this is one request more.`));
        return undefined;
      }
      const { frames = {} } = answers[index] ?? {};
      let answered = false;
      subscriber.add(() => {
        if (!answered) aborted += 1;
      });
      return connection.response.subscribe({
        next: () => {
          answered = true;
          handOver(subscriber, {
            status: answers[index]?.status ?? 200,
            headers: toHeaders(answers[index]?.headers),
            bytes: connection.body.pipe(map((letter) => toBytes(frames[letter] ?? letter))),
            abort: () => (aborted += 1),
          });
        },
        error: (reason: unknown) => {
          answered = true;
          subscriber.error(reason);
        },
      });
    });

  return Object.defineProperties(transport, {
    requests: { get: () => requests },
    aborted: { get: () => aborted },
    connections: { get: () => connections },
  }) as MarbleTransport;
}
