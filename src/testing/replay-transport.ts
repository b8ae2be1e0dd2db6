import {
  asyncScheduler,
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  map,
  NEVER,
  type Observable,
  of,
  type SchedulerLike,
  throwError,
  timer,
} from 'rxjs';
import {
  type ChatCompletionsError,
  IdleTimeoutError,
  ResponseTimeoutError,
  StreamError,
  TransportError,
} from '../turn/errors.js';
import { monotonicClock } from '../flow/monotonic-clock.js';
import { clampDelay } from '../flow/timers.js';
import {
  bytesOfRead,
  readCassette,
  type RecordedEnd,
  type RecordedError,
  type RecordedExchange,
} from './cassette.js';
import { type ScriptedAnswer, scriptedTransport, type ScriptedTransport } from './scripted-transport.js';

export interface ReplayTransportOptions {
  /** Replays everything at once, or at the recorded times. Default `'at-once'`. */
  readonly timing?: 'at-once' | 'recorded';
  /** Times the recorded waits. Default `asyncScheduler`, which is virtual inside `TestScheduler.run`. */
  readonly scheduler?: SchedulerLike;
}

/**
 * A transport that replays a recording of `recordTransport`, one exchange for each request in turn, with the
 * same reads and failures. Requests are not compared with the recorded ones. A request beyond the recording
 * fails with an error that is not retried.
 *
 * An aborted exchange falls silent where its reader unsubscribed, because nothing more was recorded.
 *
 * @example
 * ```ts
 * const transport = replayTransport(JSON.parse(readFileSync('turn.json', 'utf8')));
 * const turn = streamChatCompletions('Why is the sky blue?', { model: 'm', provider, transport });
 * expect(await lastValueFrom(turn.pipe(accumulate()))).toMatchObject({ status: 'completed' });
 * ```
 *
 * @param cassette - a `Cassette`, recorded or parsed from JSON
 * @param options - the timing
 * @returns the transport, with the requests that it was sent and how many were aborted
 * @throws TypeError if the cassette is invalid, naming the place
 */
export function replayTransport(cassette: object, options: ReplayTransportOptions = {}): ScriptedTransport {
  const { exchanges } = readCassette(cassette);
  return scriptedTransport(...exchanges.map((exchange) => answerOf(exchange, options)));
}

function answerOf(exchange: RecordedExchange, options: ReplayTransportOptions): ScriptedAnswer {
  const { timing = 'at-once', scheduler = asyncScheduler } = options;
  const { response, end } = exchange;

  /** Emits once at a recorded time, measured from another recorded time, which is now. */
  const clockFrom = (recorded: number) => {
    const clock = monotonicClock(scheduler);
    return (at: number): Observable<unknown> =>
      timing === 'at-once'
        ? of(at)
        : defer(() => timer(clampDelay(Math.max(0, at - recorded - clock.now())), clock));
  };

  const endAt = (at: (time: number) => Observable<unknown>, fail: (error: RecordedError) => Error) =>
    end.type === 'aborted' ? NEVER : at(end.at).pipe(concatMap(() => endOf(end, fail)));

  if (response === undefined) return { after: defer(() => endAt(clockFrom(0), noAnswer)) };
  return {
    status: response.status,
    headers: response.headers,
    after: defer(() => clockFrom(0)(response.at)),
    body: defer(() => {
      const at = clockFrom(response.at);
      const reads = from(response.body).pipe(
        concatMap((read) => at(read.at).pipe(map(() => bytesOfRead(read)))),
      );
      return concat(reads, endAt(at, brokenBody));
    }),
  };
}

function endOf(end: RecordedEnd, fail: (error: RecordedError) => Error): Observable<never> {
  return end.type === 'error' ? throwError(() => fail(end.error)) : EMPTY;
}

const causeOf = ({ code }: RecordedError): Error | undefined =>
  code === undefined
    ? undefined
    : Object.assign(new Error(`It was recorded with the code ${code}.`), { code });

function noAnswer(error: RecordedError): ChatCompletionsError {
  const { name, timeout, retryable = true } = error;
  return name === 'ResponseTimeoutError' && timeout !== undefined
    ? new ResponseTimeoutError(timeout, causeOf(error))
    : new TransportError({ cause: causeOf(error), retryable });
}

function brokenBody(error: RecordedError): ChatCompletionsError {
  const { name, timeout } = error;
  return name === 'IdleTimeoutError' && timeout !== undefined
    ? new IdleTimeoutError(timeout, causeOf(error))
    : new StreamError({ cause: causeOf(error) });
}
