import { inject, NgZone } from '@angular/core';

/**
 * Runs work outside Angular's zone, where there is one: a chunk that arrives is no reason to check the page. Signals
 * that are set there schedule a check by themselves.
 */
export function runnerOutsideAngular(): <T>(work: () => T) => T {
  const zone = inject(NgZone, { optional: true });
  return (work) => (zone === null ? work() : zone.runOutsideAngular(work));
}
