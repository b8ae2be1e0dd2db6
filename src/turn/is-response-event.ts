import type { ResponseEvent } from './events.js';
import type { RunEvent } from './run-events.js';

/** Whether an event of a run is one of a turn's, and not of what happens between turns. */
export function isResponseEvent(event: RunEvent): event is ResponseEvent {
  switch (event.type) {
    case 'approval_requested':
    case 'tool_started':
    case 'tool_progress':
    case 'tool_finished':
    case 'input_added':
    case 'run_completed':
      return false;
    default:
      return true;
  }
}
