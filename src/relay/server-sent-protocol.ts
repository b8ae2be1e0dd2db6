import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  identity,
  map,
  type MonoTypeOperatorFunction,
  Observable,
  of,
  type OperatorFunction,
  type SchedulerAction,
  type SchedulerLike,
} from 'rxjs';
import { ChatCompletionsError } from '../turn/errors.js';
import type { ResponseEvent } from '../turn/events.js';
import { observe } from '../flow/observe.js';
import { clampDelay } from '../flow/timers.js';
import { isRecord, own } from '../turn/wire.js';

// How a turn goes from a backend to its own front end, as server-sent events. Everything stands in the
// data; the name of an event only sorts it for the listeners of an EventSource:
//
//   data: {"type":"output_item_done",...}          an event of the turn, as it is
//   event: error
//   data: {"type":"error","error":{...}}           the turn failed; nothing follows
//   data: [DONE]                                   the source has ended; nothing follows
//   : ping                                         a sign of life

/** The data of the message that ends a stream which did not fail. Without it, the stream was cut. */
export const endMark = '[DONE]';

/** What a front end is told of an error. */
export interface TurnErrorReport {
  /** The name of its class; `'Error'` for any that is not this library's. */
  readonly name: string;
  /** Words for the user; none by default. */
  readonly message?: string | undefined;
  readonly status?: number | undefined;
  /** An identifier, such as `rate_limit_exceeded`. */
  readonly code?: string | undefined;
  /** The wait that the provider asked for, in milliseconds. */
  readonly retryAfter?: number | undefined;
}

/** How a turn is written down for a front end. */
export interface ServerSentEventsOptions {
  /**
   * What the front end is told of an error, a `retrying` event's too. Default: its name, status, code and
   * `retryAfter`, which hold nothing that the provider, the user or the model said, and of an error that
   * is not this library's nothing at all.
   */
  readonly toError?: ((error: unknown) => TurnErrorReport) | undefined;
  /**
   * Milliseconds of silence after which a sign of life is sent, since proxies cut connections that are
   * silent. Default 15,000, which is what WHATWG HTML (9.2.7) recommends; `Infinity`: none.
   */
  readonly heartbeat?: number | undefined;
  /** The heartbeat's timer. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** A server-sent event that is not yet text: the shape of NestJS's `MessageEvent`. */
export interface ServerSentMessage {
  /** JSON, or the end mark. */
  readonly data: string;
  /** The event's name, where it has one. */
  readonly type?: 'error' | 'ping';
}

/**
 * The messages of a turn: one for each event, and one that says how it ended. Each is an object of its
 * own, since NestJS writes ids into them.
 */
export function serverSentMessages(
  options: ServerSentEventsOptions = {},
): OperatorFunction<ResponseEvent, ServerSentMessage> {
  const { toError = publicFields, heartbeat = 15_000, scheduler = asyncScheduler } = options;
  if (!(typeof heartbeat === 'number' && heartbeat >= 1)) {
    throw new TypeError('options.heartbeat must be a number of at least 1.');
  }
  const tell = (error: unknown) => readReport(toError(error));
  return (source) =>
    concat(
      source.pipe(map((event): ServerSentMessage => ({ data: JSON.stringify(written(event, tell)) }))),
      defer(() => of<ServerSentMessage>({ data: endMark })),
    ).pipe(
      catchError((error: unknown) =>
        of<ServerSentMessage>({
          data: JSON.stringify({ type: 'error', error: tell(error) }),
          type: 'error',
        }),
      ),
      whileSilent<ServerSentMessage>(heartbeat, () => ({ data: '{"type":"ping"}', type: 'ping' }), scheduler),
    );
}

const written = (event: ResponseEvent, tell: (error: unknown) => TurnErrorReport): unknown =>
  event.type === 'retrying' ? { ...event, error: tell(event.error) } : event;

/** What of an error holds nothing that anybody said. */
function publicFields(error: unknown): unknown {
  if (!(error instanceof ChatCompletionsError)) return undefined;
  const { name, status, code, retryAfter }: PerhapsOfAnAnswer = error;
  return { name, status, code, retryAfter };
}

interface PerhapsOfAnAnswer {
  readonly name: string;
  readonly status?: unknown;
  readonly code?: unknown;
  readonly retryAfter?: unknown;
}

/** What of a value is a report, on its way out as on its way in. */
export function readReport(value: unknown): TurnErrorReport {
  const report = isRecord(value) ? value : {};
  const [name, message, status, code, retryAfter] = [
    own(report, 'name'),
    own(report, 'message'),
    own(report, 'status'),
    own(report, 'code'),
    own(report, 'retryAfter'),
  ];
  return {
    name: typeof name === 'string' && /^[A-Za-z]\w{0,63}$/.test(name) ? name : 'Error',
    ...(typeof message === 'string' && { message }),
    ...(isStatus(status) && { status }),
    ...(typeof code === 'string' && /^[\w.:/-]{1,64}$/.test(code) && { code }),
    ...(typeof retryAfter === 'number' && Number.isFinite(retryAfter) && retryAfter >= 0 && { retryAfter }),
  };
}

const isStatus = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599;

/**
 * Adds a value for each stretch of silence. One timer looks at the clock: one set anew by each event
 * would cost more than the event.
 */
function whileSilent<T>(
  milliseconds: number,
  beat: () => T,
  scheduler: SchedulerLike,
): MonoTypeOperatorFunction<T> {
  if (milliseconds === Infinity) return identity;
  const period = clampDelay(milliseconds);
  return (source) =>
    new Observable((subscriber) => {
      let last = scheduler.now();
      function look(this: SchedulerAction<unknown>): void {
        const now = scheduler.now();
        // A clock that was set back must not silence the beat.
        last = Math.min(last, now);
        if (now - last >= period) {
          last = now;
          subscriber.next(beat());
        }
        this.schedule(undefined, last + period - now);
      }
      subscriber.add(scheduler.schedule(look, period));
      return observe(source, subscriber, {
        next: (value) => {
          last = scheduler.now();
          subscriber.next(value);
        },
      });
    });
}
