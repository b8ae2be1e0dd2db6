import { type OperatorFunction, pipe, scan, startWith } from 'rxjs';
import type { ResponseEvent } from '../turn/events.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn/turn.js';

/**
 * Emits the turn so far: an empty one at once, then an immutable snapshot for each event.
 *
 * After an error or an unsubscribe, the last snapshot holds the partial output. The event after `completed`
 * starts a new turn.
 *
 * ```
 * source   ---Hel--lo--(completed|)
 *          accumulate()
 * result   e--H----L---(C|)
 *
 * e: { status: 'waiting', text: '' }            H: { status: 'streaming', text: 'Hel' }
 * L: { status: 'streaming', text: 'Hello' }     C: { status: 'completed', text: 'Hello', ... }
 * ```
 *
 * @example
 * ```ts
 * turn.pipe(accumulate()).subscribe(({ status, text }) => render(status, text));
 * ```
 *
 * @see {@link reduceTurn}, the fold behind it
 */
export function accumulate(): OperatorFunction<ResponseEvent, Turn> {
  return pipe(scan(reduceTurn, emptyTurn), startWith(emptyTurn));
}
