import { map, Observable, type OperatorFunction, range, take, tap } from 'rxjs';
import { observe, type SourceObserver } from '../../src/flow/observe.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

type Observe = (next: (value: string) => void) => SourceObserver<string>;

/** An operator of nothing but `observe`. */
const operator =
  (observer: Observe): OperatorFunction<string, string> =>
  (source) =>
    new Observable((subscriber) =>
      observe(
        source,
        subscriber,
        observer((value) => subscriber.next(value)),
      ),
    );

const upperCase = operator((next) => ({ next: (value) => next(value.toUpperCase()) }));

describe('observe', () => {
  it('passes on what its observer leaves out', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-|');
      expectObservable(source.pipe(upperCase)).toBe('-A-B-|');
      expectSubscriptions(source.subscriptions).toBe('^----!');
      expectObservable(cold('-a-#').pipe(upperCase)).toBe('-A-#');
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-|');
      expectObservable(source.pipe(upperCase), '^-!').toBe('-A');
      expectSubscriptions(source.subscriptions).toBe('  ^-!');
      const taken = cold('-a-b-|');
      expectObservable(taken.pipe(upperCase, take(1))).toBe('-(A|)');
      expectSubscriptions(taken.subscriptions).toBe('       ^!');
    });
  });

  it.each<[string, string, string, Observe]>([
    [
      'next',
      '-a-b-|',
      '-a-#',
      (next) => ({
        next(value) {
          if (value === 'b') throw new RangeError('next');
          next(value);
        },
      }),
    ],
    [
      'complete',
      '-a---|',
      '-a---#',
      (next) => ({
        next,
        complete() {
          throw new RangeError('complete');
        },
      }),
    ],
  ])('makes an error of what %s throws', (thrower, marbles, expected, observer) => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold(marbles);
      expectObservable(source.pipe(operator(observer))).toBe(expected, undefined, new RangeError(thrower));
      expectSubscriptions(source.subscriptions).toBe(`^${'-'.repeat(expected.length - 2)}!`);
    });
  });

  it('gives what next throws to the error of its observer', () => {
    const seen: unknown[] = [];
    const failing = (source: Observable<string>) =>
      new Observable<string>((subscriber) =>
        observe(source, subscriber, {
          next() {
            throw new RangeError('next');
          },
          error(error) {
            seen.push(error);
            subscriber.error(error);
          },
        }),
      );
    expect(failureOf(new Observable<string>((source) => source.next('a')).pipe(failing))).toEqual(
      new RangeError('next'),
    );
    expect(seen).toEqual([new RangeError('next')]);
  });

  it('stops a source that emits synchronously', () => {
    let emitted = 0;
    const source = range(1, 1_000).pipe(
      tap(() => (emitted += 1)),
      map((number) => `${number}`),
    );
    expect(received(source.pipe(upperCase, take(2)))).toEqual(['1', '2']);
    expect(emitted).toBe(2);
  });
});
