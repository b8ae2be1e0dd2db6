import { asyncScheduler, Observable, type OperatorFunction, type SchedulerLike } from 'rxjs';
import { ChatCompletionsError, hide, StreamError } from '../turn/errors.js';
import type { ResponseEvent } from '../turn/events.js';
import { observe } from '../flow/observe.js';
import { scheduleInBackground } from '../flow/timers.js';
import { isRecord, own, parseJson } from '../turn/wire.js';
import { readResponseEvent } from './read-response-event.js';
import type { ServerSentMessage } from './server-sent-message.js';
import { endMark, readReport, type TurnErrorReport } from './server-sent-protocol.js';

/** How long the connection may take to end by itself after the end mark, in milliseconds. */
const grace = 1_000;

export interface FromServerSentEventsOptions {
  /** The timer of the grace after the end mark. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** The turn failed on the server, which told so. Raised by `fromServerSentEvents()` alone. */
export class RemoteTurnError extends ChatCompletionsError {
  override get name() {
    return 'RemoteTurnError' as const;
  }
  /** The name of the error there; `'Error'` where the server told none. */
  readonly remoteName: string;
  readonly status: number | undefined;
  readonly code: string | undefined;
  /** The wait that the provider asked for, in milliseconds. */
  readonly retryAfter: number | undefined;
  /** The server's words, where its `toError` gives any. Not enumerable. */
  declare readonly remoteMessage: string | undefined;

  constructor(report: TurnErrorReport) {
    const { name, message, status, code, retryAfter } = report;
    const details = [
      ...(status === undefined ? [] : [`status ${status}`]),
      ...(code === undefined ? [] : [`code ${code}`]),
    ];
    super(`The turn failed on the server: ${name}${details.length === 0 ? '' : ` (${details.join(', ')})`}.`);
    this.remoteName = name;
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
    hide(this, 'remoteMessage', message);
  }
}

/**
 * Reads the events of a turn from server-sent events: the inverse of `toServerSentEvents()`.
 *
 * It completes where the connection ends after the end mark, or 1,000 ms after the mark where it does
 * not: a connection that ends by itself can be used again. A `retrying` event's error is made anew,
 * without what the backend keeps to itself. What only a later version of this library knows, and events
 * of other names, which the backend may send in between for its own purposes, are skipped.
 *
 * ```
 * source   --{…Hel…}--{…lo…}--{…completed…}--[DONE]--|
 *          fromServerSentEvents()
 * result   --Hel------lo------completed--------------|
 * ```
 *
 * @example
 * ```ts
 * response.body
 *   .pipe(decodeEventStream(), fromServerSentEvents(), textDeltas())
 *   .subscribe((text) => show(text));
 * ```
 *
 * Errors with a `RemoteTurnError` where the turn failed on the server, and with a `StreamError` where
 * the stream ends without its end mark or holds something else. Errors of the source pass.
 */
export function fromServerSentEvents(
  options: FromServerSentEventsOptions = {},
): OperatorFunction<ServerSentMessage, ResponseEvent> {
  const { scheduler = asyncScheduler } = options;
  return (source) =>
    new Observable((subscriber) => {
      let isOver = false;

      function read({ data, event = '' }: ServerSentMessage): void {
        if (event !== '' && event !== 'message' && event !== 'error') return;
        if (event !== 'error' && data === endMark) {
          isOver = true;
          subscriber.add(scheduleInBackground(scheduler, () => subscriber.complete(), grace));
          return;
        }
        const value = parseJson(data);
        const fields = isRecord(value) ? value : {};
        if (event === 'error' || own(fields, 'type') === 'error') {
          throw new RemoteTurnError(readReport(own(fields, 'error')));
        }
        const responseEvent = readResponseEvent(value);
        if (responseEvent !== undefined) subscriber.next(responseEvent);
      }

      return observe(source, subscriber, {
        next: (message) => {
          if (!isOver) read(message);
        },
        error: (error) => (isOver ? subscriber.complete() : subscriber.error(error)),
        complete: () => {
          if (isOver) subscriber.complete();
          else {
            subscriber.error(
              new StreamError({ message: "The backend's stream ended before the end of the turn." }),
            );
          }
        },
      });
    });
}
