import { from, map, Observable, type ObservableInput } from 'rxjs';
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

/** A response whose body has the given pieces, one network read each. */
export interface ScriptedAnswer extends AnswerHead {
  /** Text is sent as UTF-8. Default: nothing. */
  readonly body?: string | ObservableInput<string | Uint8Array>;
  /**
   * The headers arrive with its first value, or at once if it is absent. `NEVER` is a provider that never
   * responds; an error is a connection that fails.
   */
  readonly after?: Observable<unknown>;
}

export interface ScriptedTransport extends Transport {
  /** The requests so far. */
  readonly requests: readonly HttpRequest[];
  /**
   * How many requests were aborted: before the headers, inside the body, or because nobody subscribed to the
   * body.
   */
  readonly aborted: number;
}

/**
 * A transport with scripted responses, one for each request in turn. Further requests fail with an error that
 * is not retried. An `Error` instead of a response is a connection that fails.
 *
 * It fulfils the whole `Transport` contract, including `demand`, unlike `of(response)`.
 *
 * @example
 * ```ts
 * const transport = scriptedTransport({ status: 503 }, { body: wireOf(turnOf('Hel', 'lo')) });
 * const turn = streamChatCompletions('Hi', { model: 'm', provider, transport, retry: { initialDelay: 0 } });
 * expect(await lastValueFrom(turn.pipe(textDeltas(), toArray()))).toEqual(['Hel', 'lo']);
 * expect(transport.requests).toHaveLength(2);
 * ```
 *
 * @param answers - the response to each request
 * @returns the transport, with the requests that it was sent and how many were aborted
 */
export function scriptedTransport(...answers: readonly (ScriptedAnswer | Error)[]): ScriptedTransport {
  const requests: HttpRequest[] = [];
  let aborted = 0;

  const transport: Transport = (request) =>
    new Observable<HttpResponse>((subscriber) => {
      const answer =
        answers[requests.length] ??
        scriptError(
          `scriptedTransport has ${counted(answers.length)}; request ${requests.length + 1} has none.`,
        );
      requests.push(request);
      let settled = false;
      const fail = (error: unknown) => {
        settled = true;
        subscriber.error(error);
      };
      if (answer instanceof Error) {
        fail(answer);
        return;
      }
      subscriber.add(() => {
        if (!settled) aborted += 1;
      });
      const respond = () => {
        settled = true;
        handOver(subscriber, {
          status: answer.status ?? 200,
          headers: toHeaders(answer.headers),
          ...connectionOf(bytesOf(answer).pipe(readOnDemand(request)), () => (aborted += 1)),
        });
      };
      if (answer.after === undefined) respond();
      else
        subscriber.add(
          answer.after.subscribe({
            next: () => settled || respond(),
            error: fail,
            complete: () => settled || fail(scriptError('`after` completed without a value.')),
          }),
        );
    });

  return Object.defineProperties(transport, {
    requests: { get: () => requests },
    aborted: { get: () => aborted },
  }) as ScriptedTransport;
}

function bytesOf({ body = [] }: ScriptedAnswer): Observable<Uint8Array> {
  return from(typeof body === 'string' ? [body] : body).pipe(map(toBytes));
}
