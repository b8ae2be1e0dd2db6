import type { ResponseEvent } from './events.js';
import type { RunEvent } from './run-events.js';

/** Whether an event of a run belongs to one of its turns. */
export function isTurnEvent(event: RunEvent): event is ResponseEvent {
  switch (event.type) {
    case 'input_added':
    case 'run_resumed':
    case 'approval_requested':
    case 'tool_started':
    case 'tool_progress':
    case 'tool_finished':
    case 'run_completed':
      return false;
    default:
      return true;
  }
}
