import type { OutputItemDoneEvent, ToolCallItem } from './events.js';
import type { RunEvent } from './run-events.js';

/** The event of a complete call. */
export type CallEvent = OutputItemDoneEvent & { readonly item: ToolCallItem };

/** Whether an event carries a complete call. */
export const isCall = (event: RunEvent): event is CallEvent =>
  event.type === 'output_item_done' &&
  (event.item.type === 'function_call' || event.item.type === 'custom_tool_call');
