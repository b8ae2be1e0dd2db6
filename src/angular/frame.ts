import { animationFrames, type Observable, race, timer } from 'rxjs';

/** The next frame, or a quarter of a second in a hidden tab, where there are none. */
export const frame = (): Observable<unknown> =>
  typeof globalThis.requestAnimationFrame === 'function' ? race(animationFrames(), timer(250)) : timer(16);
