import { lastValueFrom, materialize, type Observable, toArray } from 'rxjs';
import type { ResponseEvent } from '../../src/index.js';

/** The events of a turn that completes. */
export const eventsOf = (turn: Observable<ResponseEvent>): Promise<readonly ResponseEvent[]> =>
  lastValueFrom(turn.pipe(toArray()));

/** What a turn that fails delivered, and its error. */
export async function failureOf(
  turn: Observable<ResponseEvent>,
): Promise<{ readonly events: readonly ResponseEvent[]; readonly error: unknown }> {
  const events: ResponseEvent[] = [];
  for (const notification of await lastValueFrom(turn.pipe(materialize(), toArray()))) {
    if (notification.kind === 'N') events.push(notification.value);
    if (notification.kind === 'E') return { events, error: notification.error };
  }
  throw new Error('The turn did not fail.');
}
