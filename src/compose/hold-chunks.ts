import { type MonoTypeOperatorFunction, Observable, type Subscriber } from 'rxjs';
import { observe } from '../flow/observe.js';
import type { ChunkEvent, ResponseEvent } from '../turn/events.js';

/** How much of a turn was given. */
export type Given = 'nothing' | 'part' | 'all';

/**
 * Keeps a turn replaceable for as long as it can be: `chunk` events wait until the turn says something, so that those of
 * a turn that fails before are never seen, and two providers' chunks never mix. `retrying` and `restarting` pass at
 * once, and what was held before `restarting` is dropped. Any other event says something.
 *
 * ```
 * source   --k--k--a--k--b|        k: chunk
 *          holdChunks(onState)
 * result   --------(kka)-k--b|
 * ```
 *
 * @param onState - called before the event that changes how much of the turn was given
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
