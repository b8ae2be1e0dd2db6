import type { EventSourceMessage } from 'eventsource-parser';
import {
  asyncScheduler,
  type MonoTypeOperatorFunction,
  Observable,
  type SchedulerLike,
  takeWhile,
} from 'rxjs';
import { scheduleInBackground } from '../timers.js';

/** How long a connection may take to end by itself after `[DONE]`, in milliseconds. */
const grace = 1_000;

/** Whether an event says that the answer is complete (C12). */
export function isDone({ data }: EventSourceMessage): boolean {
  // Nearly every event begins with a brace.
  return data.charCodeAt(0) !== 0x7b && data.trim() === '[DONE]';
}

/**
 * Completes at `[DONE]` and keeps the connection: it is read on, values dropped, until it ends by
 * itself or a grace of 1,000 ms has passed, so that it can be used for the next turn. An unsubscribe
 * before `[DONE]` ends it at once.
 *
 * The mark is set before the completion is passed on: whoever unsubscribes because of what follows
 * from it (`first()`, `firstValueFrom`) leaves the connection its grace too.
 *
 * ```
 * source   --a--(bD)-----|
 *          untilDone()
 * result   --a--(b|)
 * read     ^-------------!
 * ```
 */
export function untilDone(
  scheduler: SchedulerLike = asyncScheduler,
): MonoTypeOperatorFunction<readonly EventSourceMessage[]> {
  return (source) =>
    new Observable((subscriber) => {
      let done = false;
      let isSubscribed = false;
      // A source that emits synchronously can be stopped only from inside: nothing else knows it yet.
      const isWanted = () => (done ? isSubscribed : !subscriber.closed);
      const connection = source.pipe(takeWhile(isWanted)).subscribe({
        next: (events) => {
          if (done) return;
          const end = events.findIndex(isDone);
          if (end !== 0) subscriber.next(end === -1 ? events : events.slice(0, end));
          if (end === -1 || subscriber.closed) return;
          done = true;
          subscriber.complete();
        },
        error: (error: unknown) => {
          if (!done) subscriber.error(error);
        },
        complete: () => {
          if (!done) subscriber.complete();
        },
      });
      isSubscribed = true;
      return () => {
        if (!done) connection.unsubscribe();
        else if (!connection.closed)
          connection.add(scheduleInBackground(scheduler, () => connection.unsubscribe(), grace));
      };
    });
}
