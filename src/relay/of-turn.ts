import type { ResponseEvent } from '../turn/events.js';
import { isTurnEvent } from '../turn/is-turn-event.js';
import type { RunEvent } from '../turn/run-events.js';

/**
 * Returns an event of a turn unchanged.
 *
 * @throws TypeError naming the operator, for an event between the turns of a run
 */
export function ofTurn(event: RunEvent, operator: string): ResponseEvent {
  if (isTurnEvent(event)) return event;
  throw new TypeError(`The events of a run need ${operator}({ run: true }).`);
}
