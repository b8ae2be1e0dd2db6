import { isResponseEvent } from './is-response-event.js';
import type { RunEvent } from './run-events.js';

/** What a source of turns or runs is in the midst of. */
export type Progress = 'turn' | 'run' | 'over';

/**
 * What a source is in the midst of after one more event: of a turn until it is `completed`, and from the first event
 * between turns on, of a run until `run_completed`, or until a `completed` that is `stopped`.
 *
 * A run shows no sooner that it is one: after the `completed` of its first turn it is over, as a turn is, until its next
 * event.
 */
export function progressAfter(progress: Progress, event: RunEvent): Progress {
  // As nearly every event is: looked at first, each costs 2 ns less.
  if (event.type === 'output_item_done') return progress === 'run' ? 'run' : 'turn';
  if (event.type === 'completed') return progress === 'run' && event.stopped !== true ? 'run' : 'over';
  if (event.type === 'run_completed') return 'over';
  return progress === 'run' || !isResponseEvent(event) ? 'run' : 'turn';
}
