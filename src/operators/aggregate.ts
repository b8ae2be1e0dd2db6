import { concatMap, type OperatorFunction, pipe } from 'rxjs';
import type { ResponseEvent } from '../turn/events.js';
import type { Turn } from '../turn/turn.js';
import { turnItems } from '../turn/turn-items.js';
import { type EndedTurn, endedTurns } from './ended-turns.js';

/**
 * Replaces the deltas of a turn by whole items: silent while the model writes, then the reasoning, the message
 * and each call, then `completed`.
 *
 * A turn without text, reasoning or calls emits only `completed`. Other choices follow choice 0, each item
 * marked with its `choice`. Each `completed` starts a new turn. A stopped turn emits its partial output,
 * without incomplete calls. Errors pass at once, and a source that ends without `completed` emits nothing.
 * Append the items unchanged: they hold the provider's fields that must be sent back (`extras`,
 * `reasoning_details`).
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

/** The whole items of an ended turn, then the event that ended it. */
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
