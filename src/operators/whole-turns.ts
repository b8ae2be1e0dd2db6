import { concatMap, filter, type MonoTypeOperatorFunction, pipe, scan } from 'rxjs';
import { isTurnEvent } from '../turn/is-turn-event.js';
import type { RunEvent } from '../turn/run-events.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn/turn.js';
import { wholeItems } from './aggregate.js';

/**
 * Replaces the deltas of each turn of a run by whole items, and passes the events between turns: `aggregate()`
 * for runs.
 *
 * ```
 * source   --Let--me-(call completed started)-finished--It's--(completed run_completed|)
 *          wholeTurns()
 * result   ----------(Let-me call completed started)-finished--(It's completed run_completed|)
 * ```
 */
export const wholeTurns = (): MonoTypeOperatorFunction<RunEvent> =>
  pipe(
    scan(foldEvent, nothingYet),
    filter(isPassed),
    concatMap(({ turn, event }) => (event.type === 'completed' ? wholeItems({ turn, event }) : [event])),
  );

/** The current turn so far, and the last event. */
interface Fold {
  readonly turn: Turn;
  readonly event: RunEvent | undefined;
}

const nothingYet: Fold = { turn: emptyTurn, event: undefined };

const foldEvent = ({ turn }: Fold, event: RunEvent): Fold => ({
  turn: isTurnEvent(event) ? reduceTurn(turn, event) : turn,
  event,
});

const isPassed = (fold: Fold): fold is Fold & { readonly event: RunEvent } =>
  fold.event !== undefined && (fold.event.type === 'completed' || !isTurnEvent(fold.event));
