import { asLibraryError } from './errors.js';
import type { RestartingEvent } from './events.js';

/** The `restarting` event of a turn whose next attempt begins at once. */
export const restartingNow = (attempt: number, error: unknown): RestartingEvent => ({
  type: 'restarting',
  attempt,
  delay: 0,
  error: asLibraryError(error),
});
