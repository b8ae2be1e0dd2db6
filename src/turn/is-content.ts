import type { FunctionCallArgumentsDeltaEvent, OutputItemDoneEvent } from './events.js';
import type { RunEvent } from './run-events.js';

/** Whether an event carries output of the model. */
export const isContent = (event: RunEvent): event is OutputItemDoneEvent | FunctionCallArgumentsDeltaEvent =>
  event.type === 'output_item_done' || event.type === 'function_call_arguments_delta';
