import { concatMap, filter, type OperatorFunction, pipe, scan } from 'rxjs';
import type { CompletedEvent, ContentPart, ResponseEvent, ResponseItem } from '../turn/events.js';
import { reasoningItem } from '../turn/reasoning-item.js';
import { emptyTurn, reduceTurn, type Turn, type TurnAnswer } from '../turn/turn.js';

/**
 * Replaces the pieces of a turn by whole items: silent while the model writes, then the reasoning, the
 * message and each call, then the `completed` that ended it.
 *
 * What a turn does not have is left out: one without any text, reasoning or calls gives only
 * `completed`. Further choices follow choice 0, each item marked with its `choice`. Each `completed`
 * starts afresh, that of a stopped turn too: what came of it is given, calls that were not whole aside.
 * Errors pass at once, and a source that ends without `completed` gives nothing.
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
  return pipe(scan(foldTurn, nothingYet), filter(hasEnded), concatMap(wholeItems));
}

/** A turn so far, and the last event in it. */
interface Fold {
  readonly turn: Turn;
  readonly event: ResponseEvent | undefined;
}

interface Ended extends Fold {
  readonly event: CompletedEvent;
}

const nothingYet: Fold = { turn: emptyTurn, event: undefined };

const foldTurn = ({ turn }: Fold, event: ResponseEvent): Fold => ({ turn: reduceTurn(turn, event), event });

const hasEnded = (fold: Fold): fold is Ended => fold.event?.type === 'completed';

const wholeItems = ({ turn, event }: Ended): readonly ResponseEvent[] => [...itemEvents(turn), event];

function itemEvents(turn: Turn): readonly ResponseEvent[] {
  return [turn, ...turn.choices].flatMap((answer) =>
    itemsOf(answer).map((item): ResponseEvent => ({
      type: 'output_item_done',
      item,
      ...('choice' in answer && { choice: answer.choice }),
    })),
  );
}

function itemsOf(answer: TurnAnswer): readonly ResponseItem[] {
  return [
    ...reasoningOf(answer),
    ...messageOf(answer),
    ...answer.toolCalls.flatMap(({ item }) => (item === undefined ? [] : [item])),
  ];
}

const reasoningOf = ({ reasoning, reasoningDetails }: TurnAnswer): readonly ResponseItem[] =>
  reasoning === '' && reasoningDetails.length === 0 ? [] : [reasoningItem(reasoning, reasoningDetails)];

function messageOf({ text, refusal }: TurnAnswer): readonly ResponseItem[] {
  const content: ContentPart[] = [];
  if (text !== '') content.push({ type: 'output_text', text });
  if (refusal !== '') content.push({ type: 'refusal', refusal });
  return content.length === 0 ? [] : [{ type: 'message', role: 'assistant', content }];
}
