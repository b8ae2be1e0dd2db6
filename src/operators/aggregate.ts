import { concatMap, filter, map, type OperatorFunction, pipe, scan } from 'rxjs';
import type { ResponseEvent, ResponseItem } from '../events.js';
import { assistantMessage } from '../prompt/prompt.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn.js';

/**
 * Replaces the deltas of a turn by one whole message: silent while the model writes, then the message,
 * then the `completed` that ended it.
 *
 * A turn without text gives only `completed`. Each `completed` starts afresh. Errors pass at once, and
 * a source that ends without `completed` gives nothing.
 *
 * ```
 * source   --Hel--lo--(completed|)
 *          aggregate()
 * result   -----------(Hello completed|)
 * ```
 *
 * @example
 * ```ts
 * const [message, completed] = await firstValueFrom(turn.pipe(aggregate(), toArray()));
 * ```
 */
export function aggregate(): OperatorFunction<ResponseEvent, ResponseEvent> {
  return pipe(
    scan(({ turn }: Fold, event: ResponseEvent): Fold => ({ turn: reduceTurn(turn, event), event }), {
      turn: emptyTurn,
      event: undefined,
    }),
    map(({ turn, event }) => (event?.type === 'completed' ? [...itemsOf(turn), event] : undefined)),
    filter((events) => events !== undefined),
    concatMap((events) => events),
  );
}

interface Fold {
  readonly turn: Turn;
  readonly event: ResponseEvent | undefined;
}

function itemsOf(turn: Turn): readonly ResponseEvent[] {
  const items: ResponseItem[] = turn.text === '' ? [] : [assistantMessage(turn.text)];
  return items.map((item) => ({ type: 'output_item_done', item }));
}
