import { concatMap, type OperatorFunction, pipe } from 'rxjs';
import type { ResponseEvent } from '../turn/events.js';
import type { Turn } from '../turn/turn.js';
import { turnItems } from '../turn/turn-items.js';
import { type EndedTurn, endedTurns } from './ended-turns.js';

/**
 * Replaces the pieces of a turn by whole items: silent while the model writes, then the reasoning, the
 * message and each call, then the `completed` that ended it.
 *
 * What a turn does not have is left out: one without any text, reasoning or calls gives only
 * `completed`. Further choices follow choice 0, each item marked with its `choice`. Each `completed`
 * starts afresh, that of a stopped turn too: what came of it is given, calls that were not whole aside.
 * Errors pass at once, and a source that ends without `completed` gives nothing. Items hold what the provider
 * wants back (`extras`, `reasoning_details`), so append them as they are.
 *
 * ```
 * source   --Hel--lo--(completed|)
 *          aggregate()
 * result   -----------(Hello completed|)
 * ```
 *
 * @example
 * ```ts
 * turn.pipe(aggregate()).subscribe((event) => {
 *   if (event.type === 'output_item_done') conversation.push(event.item);
 * });
 * ```
 */
export function aggregate(): OperatorFunction<ResponseEvent, ResponseEvent> {
  return pipe(endedTurns(), concatMap(wholeItems));
}

/** The whole items of a turn that is over, then the event that ended it. */
export const wholeItems = ({ turn, event }: EndedTurn): readonly ResponseEvent[] => [
  ...itemEvents(turn),
  event,
];

function itemEvents(turn: Turn): readonly ResponseEvent[] {
  return [turn, ...turn.choices].flatMap((answer) =>
    turnItems(answer).map((item): ResponseEvent => ({
      type: 'output_item_done',
      item,
      ...('choice' in answer && { choice: answer.choice }),
    })),
  );
}
