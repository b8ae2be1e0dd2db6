import { from, isObservable, type Observable, type ObservableInput, of } from 'rxjs';
import { propertyOf } from '../turn/errors.js';

/**
 * What a callback has returned, as values: those of an Observable, a promise, an async iterable, a generator or a
 * readable stream, else that one value. A text or a list is one value, although RxJS takes both for many.
 */
export const valuesOf = <T>(returned: ObservableInput<T> | T): Observable<T> =>
  isSource<T>(returned) ? from(returned) : of(returned);

/**
 * What a callback has decided, as {@link valuesOf} gives it. No decision is a list, so a list, too, is as many values as
 * it has.
 */
export const decisionsOf = <T>(returned: ObservableInput<T> | T): Observable<T> =>
  isList<T>(returned) ? from(returned) : valuesOf(returned);

const isList = <T>(returned: unknown): returned is Iterable<T> =>
  typeof returned === 'object' && returned !== null && hasMethod(returned, Symbol.iterator);

function isSource<T>(returned: ObservableInput<T> | T): returned is ObservableInput<T> {
  if (isObservable(returned)) return true;
  if (typeof returned !== 'object' || returned === null) return false;
  return (
    [symbolObservable(), 'then', 'getReader', Symbol.asyncIterator].some((name) =>
      hasMethod(returned, name),
    ) ||
    // A generator, or another iterator: what is merely iterable, such as a list or a map, is a value.
    (hasMethod(returned, Symbol.iterator) && hasMethod(returned, 'next'))
  );
}

const hasMethod = (value: object, name: string | symbol): boolean =>
  typeof propertyOf(value, name) === 'function';

/** Other libraries give their Observables this method, under a name or under a symbol where the platform has one. */
const symbolObservable = (): string | symbol =>
  (Symbol as { readonly observable?: symbol }).observable ?? '@@observable';
