import { filter, type OperatorFunction, pipe, scan } from 'rxjs';
import type { CompletedEvent, ResponseEvent } from '../turn/events.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn/turn.js';

/** An ended turn, and the event that ended it. */
export interface EndedTurn {
  readonly turn: Turn;
  readonly event: CompletedEvent;
}

/**
 * Emits each turn when it ends.
 *
 * ```
 * source   --Hel--lo--(completed|)
 *          endedTurns()
 * result   -----------(T|)            T: { turn: { text: 'Hello', ... }, event: completed }
 * ```
 */
export const endedTurns = (): OperatorFunction<ResponseEvent, EndedTurn> =>
  pipe(scan(foldTurn, nothingYet), filter(hasEnded));

/** A turn so far, and the last event in it. */
interface Fold {
  readonly turn: Turn;
  readonly event: ResponseEvent | undefined;
}

const nothingYet: Fold = { turn: emptyTurn, event: undefined };

const foldTurn = ({ turn }: Fold, event: ResponseEvent): Fold => ({ turn: reduceTurn(turn, event), event });

const hasEnded = (fold: Fold): fold is EndedTurn => fold.event?.type === 'completed';
