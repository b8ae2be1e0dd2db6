import { Observable, type OperatorFunction } from 'rxjs';
import { observe } from '../flow/observe.js';
import type { RunEvent } from '../turn/run-events.js';
import { JsonAnswer } from './json-answer.js';
import { Snapshots } from './snapshots.js';

/** A value of which anything may not have come yet. */
export type DeepPartial<T> = T extends readonly (infer Element)[]
  ? readonly DeepPartial<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]?: DeepPartial<T[Key]> }
    : T;

/**
 * Emits the JSON object or array that the model is writing, each time it has grown: an immutable snapshot in which what
 * did not change is the same object (`===`) as before.
 *
 * Objects and arrays are there from their first character on, strings grow, and numbers, booleans and `null` come when
 * they are whole, since `1` may become `12`. A key comes with its value. Nothing is validated: that is
 * {@link toJson}'s. Prose and code fences around the value are passed over, and so is a second value.
 *
 * ```
 * source   --{"a--":"x--y",--"b":1--}--(completed|)
 *          partialJson()
 * result   --A----B----C-------------D--|
 *
 * A: {}    B: { a: 'x' }    C: { a: 'xy' }    D: { a: 'xy', b: 1 }
 * ```
 *
 * There is a snapshot for each event that changes the value. Copying an array or object that has thousands of entries
 * and is still open costs more than reading a few characters: then one snapshot stands for several events, so that the
 * cost grows as the length of the text does, and the last one is emitted before the end in any case.
 *
 * `restarting` makes a new beginning, and so does what follows `completed`: the next snapshot is of the new value. Errors
 * with an `OutputError` where the text is not JSON, and at the end of a turn that refused, was cut or left the value
 * open. A turn stopped with `stopWhen()` passes, and so does one that calls tools.
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
