import type { ContentPart, ReasoningItem, ResponseItem } from './events.js';
import { reasoningItem } from './reasoning-item.js';
import type { TurnAnswer } from './turn.js';

/**
 * The items that a turn adds to the conversation: the reasoning, the message and each complete call, with the
 * provider's fields that must be sent back.
 *
 * `outputItems()` emits them when a turn completes. Use this function for a snapshot from a state or a store.
 *
 * @example
 * ```ts
 * turn.pipe(accumulate(), last()).subscribe((turn) => conversation.push(...turnItems(turn)));
 * ```
 *
 * @param turn - a turn, or one of its other choices
 */
export function turnItems(turn: TurnAnswer): readonly ResponseItem[] {
  return [
    ...reasoningOf(turn),
    ...messageOf(turn),
    ...turn.toolCalls.flatMap(({ item }) => (item === undefined ? [] : [item])),
  ];
}

function reasoningOf(turn: TurnAnswer): readonly ReasoningItem[] {
  const { reasoning, reasoningDetails, reasoningExtras: extras, reasoningProvider: provider } = turn;
  if (reasoning === '' && reasoningDetails.length === 0 && extras === undefined) return [];
  return [reasoningItem(reasoning, reasoningDetails, { extras, provider })];
}

function messageOf({ text, refusal }: TurnAnswer): readonly ResponseItem[] {
  const content: ContentPart[] = [];
  if (text !== '') content.push({ type: 'output_text', text });
  if (refusal !== '') content.push({ type: 'refusal', refusal });
  return content.length === 0 ? [] : [{ type: 'message', role: 'assistant', content }];
}
