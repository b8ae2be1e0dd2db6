import { Observable, type OperatorFunction } from 'rxjs';
import { observe } from '../flow/observe.js';
import type { RunEvent } from '../turn/run-events.js';
import { JsonAnswer } from './json-answer.js';
import { Snapshots } from './snapshots.js';

/** A value with any part missing. */
export type DeepPartial<T> = T extends readonly (infer Element)[]
  ? readonly DeepPartial<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]?: DeepPartial<T[Key]> }
    : T;

/**
 * Emits the JSON object or array that the model is writing, each time it grows: an immutable snapshot in which
 * unchanged parts are the same objects (`===`) as before.
 *
 * Objects and arrays appear with their first character, strings grow, and numbers, booleans and `null` appear
 * when complete, since `1` may become `12`. A key appears with its value. Nothing is validated; use {@link
 * toJson} for that. Prose and code fences around the value are ignored, and so is a second value.
 *
 * ```
 * source   --{"a--":"x--y",--"b":1--}--(completed|)
 *          partialJson()
 * result   --A----B----C-------------D--|
 *
 * A: {}    B: { a: 'x' }    C: { a: 'xy' }    D: { a: 'xy', b: 1 }
 * ```
 *
 * There is a snapshot for each event that changes the value. If an open array or object has thousands of
 * entries, copying it costs more than reading a few characters; then one snapshot covers several events, so
 * that the total cost stays linear in the length of the text. The last one is always emitted before the end.
 *
 * After `restarting` or `completed` a new value begins. Errors with an `OutputError` if the text is not JSON,
 * and at the end of a turn that refused, was cut off or left the value open. A turn stopped with `stopWhen()`
 * passes, and so does one that calls tools.
 *
 * @example
 * ```ts
 * streamChatCompletions('A recipe for pancakes, as JSON.', options)
 *   .pipe(partialJson<Recipe>())
 *   .subscribe(({ title, steps }) => render(title, steps));
 * ```
 */
export function partialJson<T = unknown>(): OperatorFunction<RunEvent, DeepPartial<T>> {
  return (source) =>
    new Observable((subscriber) => {
      let snapshots = new Snapshots();
      let answer = new JsonAnswer(snapshots);

      function begin(): void {
        snapshots = new Snapshots();
        answer = new JsonAnswer(snapshots);
      }

      function emit(): void {
        if (snapshots.hasChanged) subscriber.next(snapshots.take() as DeepPartial<T>);
      }

      return observe(source, subscriber, {
        next(event) {
          if (event.type === 'restarting') {
            begin();
            return;
          }
          try {
            if (snapshots.canPay(answer.read(event))) emit();
          } catch (error) {
            emit();
            throw error;
          }
          if (event.type !== 'completed') return;
          emit();
          answer.checkEnd(event);
          begin();
        },
        error(error) {
          emit();
          subscriber.error(error);
        },
        complete() {
          emit();
          subscriber.complete();
        },
      });
    });
}
