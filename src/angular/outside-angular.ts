import { type MonoTypeOperatorFunction, Observable } from 'rxjs';
import { runnerOutsideAngular } from './runner-outside-angular.js';

/** Subscribes outside Angular's zone. */
export function outsideAngular<T>(): MonoTypeOperatorFunction<T> {
  const outside = runnerOutsideAngular();
  return (source) => new Observable((subscriber) => outside(() => source.subscribe(subscriber)));
}
