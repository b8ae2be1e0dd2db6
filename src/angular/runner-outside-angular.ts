import { inject, NgZone } from '@angular/core';

/**
 * Runs work outside Angular's zone, if there is one, so that arriving chunks do not trigger change detection. Signals
 * that are set there schedule it themselves.
 */
export function runnerOutsideAngular(): <T>(work: () => T) => T {
  const zone = inject(NgZone, { optional: true });
  return (work) => (zone === null ? work() : zone.runOutsideAngular(work));
}
