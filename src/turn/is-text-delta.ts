import type { MessageItem, OutputItemDoneEvent, OutputText } from './events.js';
import type { RunEvent } from './run-events.js';

/** An event with assistant text, which is its first part. */
export interface TextDeltaEvent extends OutputItemDoneEvent {
  readonly item: MessageItem & {
    readonly role: 'assistant';
    readonly content: readonly [OutputText, ...MessageItem['content']];
  };
}

/**
 * Whether an event carries assistant text.
 *
 * @example
 * ```ts
 * turn.pipe(filter(isTextDelta)).subscribe(({ item }) => console.log(item.content[0].text));
 * ```
 */
export function isTextDelta(event: RunEvent): event is TextDeltaEvent {
  return (
    event.type === 'output_item_done' &&
    event.item.type === 'message' &&
    event.item.role === 'assistant' &&
    event.item.content[0]?.type === 'output_text'
  );
}
