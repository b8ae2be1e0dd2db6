import type { FunctionCallArgumentsDeltaEvent, OutputItemDoneEvent, ResponseEvent } from './events.js';

/** Whether an event carries a part of the answer. */
export const isContent = (
  event: ResponseEvent,
): event is OutputItemDoneEvent | FunctionCallArgumentsDeltaEvent =>
  event.type === 'output_item_done' || event.type === 'function_call_arguments_delta';
