import { Observable, type OperatorFunction } from 'rxjs';
import { observe } from '../flow/observe.js';
import type { RunEvent } from '../turn/run-events.js';
import { Elements } from './elements.js';
import { JsonAnswer } from './json-answer.js';

/**
 * Emits each element of an array in the model's JSON once, when it is complete: rows to show or process while
 * the model writes the next.
 *
 * ```
 * source   --{"rows":[1--,2,--3]}--(completed|)
 *          jsonElements('rows')
 * result   ------------1,2---3------|
 * ```
 *
 * Only the current element is kept in memory. Nothing is validated. Emitted elements cannot be taken back, so
 * at a `restarting` event it errors with that event's `error` if the turn has emitted elements, and otherwise
 * continues. A new value begins after `completed`. Errors with an `OutputError` in the same cases as {@link
 * partialJson}.
 *
 * @example
 * ```ts
 * streamChatCompletions('Ten cities, as JSON.', options)
 *   .pipe(jsonElements<City>('cities'), concatMap(geocode))
 *   .subscribe(addMarker);
 * ```
 *
 * @param path - the keys that lead to the array, such as `'rows'` or `'table.rows'`; `''` if the whole value is
 * the array. A path to anything else has no elements.
 */
export function jsonElements<T = unknown>(path: string): OperatorFunction<RunEvent, T> {
  const keys = path === '' ? [] : path.split('.');
  return (source) =>
    new Observable((subscriber) => {
      let hasElements = false;
      let answer = begin();

      function begin(): JsonAnswer {
        hasElements = false;
        return new JsonAnswer(new Elements(keys, emit));
      }

      function emit(element: unknown): void {
        hasElements = true;
        subscriber.next(element as T);
      }

      return observe(source, subscriber, {
        next(event) {
          if (event.type === 'restarting') {
            if (hasElements) throw event.error;
            answer = begin();
            return;
          }
          answer.read(event);
          if (event.type !== 'completed') return;
          answer.checkEnd(event);
          answer = begin();
        },
      });
    });
}
