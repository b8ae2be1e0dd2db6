import { concat, concatMap, finalize, NEVER, Observable, of, throwError } from 'rxjs';
import { admitted } from '../../src/request/admission.js';
import { TransportError } from '../../src/turn/errors.js';
import { failureOf, testScheduler } from '../support/marbles.js';

interface Given {
  readonly value: string;
}
const values = { a: { value: 'answer' } };
const admittedA = { a: expect.objectContaining({ value: 'answer' }) as Given };

describe('admitted', () => {
  it('begins the attempt at the first value, and holds the admission when it is handed over', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const admission = cold('--x-x--');
      const attempt = cold<Given>('--(a|)', values);
      expectObservable(admitted(() => admission, attempt)).toBe('----(a|)', admittedA);
      expectSubscriptions(admission.subscriptions).toBe('        ^');
      expectSubscriptions(attempt.subscriptions).toBe('          --^-!');
    });
  });

  it('releases it where what it was handed to says so', () => {
    testScheduler().run(({ cold, expectSubscriptions }) => {
      const admission = cold('--x----');
      admitted(() => admission, cold<Given>('--(a|)', values)).subscribe(({ admission: held }) => {
        cold('--|').subscribe({ complete: () => held.unsubscribe() });
      });
      expectSubscriptions(admission.subscriptions).toBe('^-----!');
    });
  });

  it('releases it before the error of an attempt that fails goes on', () => {
    const log: string[] = [];
    const admission = concat(of('x'), NEVER).pipe(finalize(() => log.push('released')));
    const failing = throwError(() => new TransportError());
    admitted(() => admission, failing).subscribe({ error: () => log.push('failed') });
    expect(log).toEqual(['released', 'failed']);
  });

  it('is left while it waits, and while the attempt runs', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const [early, late] = [cold('--x----'), cold('--x----')];
      const attempt = cold<Given>('-----(a|)', values);
      expectObservable(
        admitted(() => early, attempt),
        '^!',
      ).toBe('-');
      expectObservable(
        admitted(() => late, attempt),
        '^---!',
      ).toBe('-');
      expectSubscriptions(early.subscriptions).toBe('^!');
      expectSubscriptions(late.subscriptions).toBe('^---!');
      expectSubscriptions(attempt.subscriptions).toBe('--^-!');
    });
  });

  it('fails with the error of the admission, and begins nothing', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = new RangeError('refused');
      const attempt = cold<Given>('--(a|)', values);
      expectObservable(admitted(() => cold('--#', {}, error), attempt)).toBe('--#', {}, error);
      expectSubscriptions(attempt.subscriptions).toBe([]);
    });
  });

  it('ends a running attempt with an error of the admission', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = new RangeError('revoked');
      const attempt = cold<Given>('----(a|)', values);
      expectObservable(admitted(() => cold('-x-#', {}, error), attempt)).toBe('---#', {}, error);
      expectSubscriptions(attempt.subscriptions).toBe('-^-!');
    });
  });

  it('fails where the admission ends without a value, and with what the function throws', () => {
    const attempt = new Observable<Given>(() => fail('it must not begin'));
    expect(failureOf(admitted(() => [], attempt))).toEqual(
      new TypeError('options.admission completed without a value.'),
    );
    const broken = () => {
      throw new RangeError('theirs');
    };
    expect(failureOf(admitted(broken, attempt))).toEqual(new RangeError('theirs'));
  });

  it('releases it where its answer cannot be taken', () => {
    const log: string[] = [];
    const admission = concat(of('x'), NEVER).pipe(finalize(() => log.push('released')));
    const reading = concatMap((): Observable<never> => {
      throw new RangeError('no body');
    });
    admitted(() => admission, of({ value: 'answer' }))
      .pipe(reading)
      .subscribe({ error: (error: unknown) => log.push(String(error)) });
    expect(log).toEqual(['RangeError: no body', 'released']);
  });

  it('aborts an attempt that is left before another may begin in its place', () => {
    const log: string[] = [];
    const admission = concat(of('x'), NEVER).pipe(finalize(() => log.push('released')));
    const attempt = NEVER.pipe(finalize(() => log.push('aborted')));
    admitted(() => admission, attempt)
      .subscribe()
      .unsubscribe();
    expect(log).toEqual(['aborted', 'released']);
  });
});
