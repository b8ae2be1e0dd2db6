import type { ResponseEvent } from '../turn/events.js';
import { isTurnEvent } from '../turn/is-turn-event.js';
import type { RunEvent } from '../turn/run-events.js';

/**
 * An event of a turn as it is.
 *
 * @throws TypeError that names the operator, if the event stands between the turns of a run
 */
export function ofTurn(event: RunEvent, operator: string): ResponseEvent {
  if (isTurnEvent(event)) return event;
  throw new TypeError(`The events of a run need ${operator}({ run: true }).`);
}
