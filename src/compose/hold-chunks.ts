import { type MonoTypeOperatorFunction, Observable, type Subscriber } from 'rxjs';
import { observe } from '../flow/observe.js';
import type { ChunkEvent, ResponseEvent } from '../turn/events.js';

/** How much of a turn has been emitted. */
export type Given = 'nothing' | 'part' | 'all';

/**
 * Keeps a turn replaceable as long as possible: `chunk` events are held until content arrives, so that the
 * chunks of a turn that fails earlier are never seen, and chunks of two providers never mix. `retrying` and
 * `restarting` pass at once, and `restarting` drops the held chunks. Any other event counts as content.
 *
 * ```
 * source   --k--k--a--k--b|        k: chunk
 *          holdChunks(onState)
 * result   --------(kka)-k--b|
 * ```
 *
 * @param onState - called before the event that changes the state
 */
export function holdChunks(onState: (state: Given) => void): MonoTypeOperatorFunction<ResponseEvent> {
  return (source) =>
    new Observable((subscriber) => observe(source, subscriber, { next: holding(subscriber, onState) }));
}

/** The `next` of {@link holdChunks}, for an operator that observes the turn itself: a layer costs as much as a `map`. */
export function holding(
  subscriber: Subscriber<ResponseEvent>,
  onState: (state: Given) => void,
): (event: ResponseEvent) => void {
  let held: ChunkEvent[] | undefined = [];
  return (event) => {
    if (held !== undefined) {
      if (event.type === 'chunk') {
        held.push(event);
        return;
      }
      if (event.type !== 'retrying' && event.type !== 'restarting') {
        const chunks = held;
        held = undefined;
        onState('part');
        for (const chunk of chunks) subscriber.next(chunk);
      }
    }
    if (event.type === 'restarting') {
      held = [];
      onState('nothing');
    } else if (event.type === 'completed') onState('all');
    subscriber.next(event);
  };
}
