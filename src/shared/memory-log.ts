import { asyncScheduler, EMPTY, of, type SchedulerLike } from 'rxjs';
import type { TurnLog } from './turn-log.js';
import { turnStore } from './turn-store.js';

/**
 * Keeps turns in the memory of one process: for development, tests, and a single instance.
 *
 * @param options - `scheduler` times the expiry of turns; default `asyncScheduler`
 */
export function memoryLog(options: { readonly scheduler?: SchedulerLike | undefined } = {}): TurnLog {
  const store = turnStore(options.scheduler ?? asyncScheduler);
  return {
    claim: (id, first, keep) => of(store.claim(id, first, keep)),
    append: (id, entry, keep) => of(store.append(id, entry, keep)),
    read: store.read,
    tell(id, message) {
      store.tell(id, message);
      return EMPTY;
    },
    told: store.told,
    close() {
      store.clear();
      return EMPTY;
    },
  };
}
