import type { OutputItemDoneEvent, ResponseEvent, ToolCallItem } from './events.js';

/** The event of a whole call. */
export type CallEvent = OutputItemDoneEvent & { readonly item: ToolCallItem };

/** Whether an event carries a whole call. */
export const isCall = (event: ResponseEvent): event is CallEvent =>
  event.type === 'output_item_done' &&
  (event.item.type === 'function_call' || event.item.type === 'custom_tool_call');
