import { filter, map, type OperatorFunction, pipe } from 'rxjs';
import type { OutputItemDoneEvent, ResponseEvent, ResponseItem } from '../turn/events.js';
import { aggregate } from './aggregate.js';

/**
 * Emits the items that a turn adds to the conversation, when it completes: the reasoning, the message and each
 * call.
 *
 * These are the items of `aggregate()`, without `completed`. If the request asked for several choices, only
 * those of choice 0, because a conversation continues with one.
 *
 * ```
 * source   --Hel--lo--(completed|)
 *          outputItems()
 * result   -----------(Hello|)          Hello: { type: 'message', role: 'assistant', ... }
 * ```
 *
 * @example
 * ```ts
 * turn.pipe(outputItems(), toArray()).subscribe((items) => conversation.push(...items));
 * ```
 *
 * @see {@link aggregate}, which also emits how the turn ended
 */
export function outputItems(): OperatorFunction<ResponseEvent, ResponseItem> {
  return pipe(
    aggregate(),
    filter(isItemOfChoice0),
    map(({ item }) => item),
  );
}

const isItemOfChoice0 = (event: ResponseEvent): event is OutputItemDoneEvent =>
  event.type === 'output_item_done' && event.choice === undefined;
