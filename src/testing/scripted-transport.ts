import { from, map, Observable, type ObservableInput } from 'rxjs';
import { handOver, type HttpRequest, type HttpResponse, type Transport } from '../request/transport.js';
import { type AnswerHead, toBytes, toHeaders } from './answer.js';

/** An answer with a body of the given pieces, each one network read. */
export interface ScriptedAnswer extends AnswerHead {
  /** Text is sent as UTF-8. Default: nothing. */
  readonly body?: string | ObservableInput<string | Uint8Array>;
  /** When the headers are there: at the first value of this, or at once. */
  readonly after?: Observable<unknown>;
}

export interface ScriptedTransport extends Transport {
  /** The requests so far. */
  readonly requests: readonly HttpRequest[];
  /** How many of them were aborted: before the headers, inside the body, or because nobody took it. */
  readonly aborted: number;
}

/**
 * A transport that gives the scripted answers, one for each request in turn, and after them fails. An
 * `Error` in an answer's place is a connection that fails.
 *
 * It keeps the contract of `Transport`, so what passes with it is not an accident of `of(response)`.
 *
 * @example
 * ```ts
 * const transport = scriptedTransport({ status: 503 }, { body: 'data: [DONE]\n\n' });
 * streamChatCompletions('Hi', { model: 'm', provider, transport }).subscribe();
 * ```
 */
export function scriptedTransport(...answers: readonly (ScriptedAnswer | Error)[]): ScriptedTransport {
  const requests: HttpRequest[] = [];
  let aborted = 0;

  const transport: Transport = (request) =>
    new Observable<HttpResponse>((subscriber) => {
      const answer =
        answers[requests.length] ??
        new Error(`The script has ${answers.length} answers; this is one request more.`);
      requests.push(request);
      if (answer instanceof Error) {
        subscriber.error(answer);
        return undefined;
      }
      let answered = false;
      const respond = () => {
        answered = true;
        handOver(subscriber, {
          status: answer.status ?? 200,
          headers: toHeaders(answer.headers),
          bytes: bytesOf(answer),
          abort: () => (aborted += 1),
        });
      };
      if (answer.after === undefined) respond();
      else
        subscriber.add(
          answer.after.subscribe({
            next: () => answered || respond(),
            error: (error: unknown) => subscriber.error(error),
          }),
        );
      return () => {
        if (!answered) aborted += 1;
      };
    });

  return Object.defineProperties(transport, {
    requests: { get: () => requests },
    aborted: { get: () => aborted },
  }) as ScriptedTransport;
}

function bytesOf({ body = [] }: ScriptedAnswer): Observable<Uint8Array> {
  return from(typeof body === 'string' ? [body] : body).pipe(map(toBytes));
}
