import { inject, NgZone } from '@angular/core';
import { type MonoTypeOperatorFunction, Observable } from 'rxjs';

/**
 * Subscribes outside Angular's zone, where there is one: a chunk that arrives is no reason to check the page. Signals
 * that are set there schedule a check by themselves.
 */
export function outsideAngular<T>(): MonoTypeOperatorFunction<T> {
  const zone = inject(NgZone, { optional: true });
  if (zone === null) return (source) => source;
  return (source) =>
    new Observable((subscriber) => zone.runOutsideAngular(() => source.subscribe(subscriber)));
}
