import { map, take } from 'rxjs';
import { frame } from '../../src/angular/frame.js';
import { testScheduler } from '../support/marbles.js';

const original = Object.getOwnPropertyDescriptor(globalThis, 'requestAnimationFrame');

/** A page whose frames a marble test draws, through RxJS's own stand-in for them. */
const inBrowser = () =>
  Object.defineProperty(globalThis, 'requestAnimationFrame', { value: () => 0, configurable: true });

afterEach(() => {
  if (original === undefined) Reflect.deleteProperty(globalThis, 'requestAnimationFrame');
  else Object.defineProperty(globalThis, 'requestAnimationFrame', original);
});

describe('frame()', () => {
  it('is the next animation frame', () => {
    inBrowser();
    testScheduler().run(({ animate, expectObservable }) => {
      animate('---x---x');
      expectObservable(
        frame().pipe(
          take(1),
          map(() => 'f'),
        ),
      ).toBe('---(f|)');
    });
  });

  it('is a quarter of a second where a hidden tab has none', () => {
    inBrowser();
    testScheduler().run(({ animate, expectObservable }) => {
      animate('');
      expectObservable(
        frame().pipe(
          take(1),
          map(() => 'f'),
        ),
      ).toBe('250ms (f|)');
    });
  });

  it('is 16 ms where nothing is drawn', () => {
    testScheduler().run(({ expectObservable }) => {
      expectObservable(frame().pipe(map(() => 'f'))).toBe('16ms (f|)');
    });
  });
});
