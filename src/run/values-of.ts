import { from, isObservable, type Observable, type ObservableInput, of } from 'rxjs';
import { propertyOf } from '../turn/errors.js';

/**
 * A callback's result as an Observable: the values of an Observable, a promise, an async iterable, a generator
 * or a readable stream, else that one value. A string or an array is one value, unlike in RxJS.
 */
export const valuesOf = <T>(returned: ObservableInput<T> | T): Observable<T> =>
  isSource<T>(returned) ? from(returned) : of(returned);

/**
 * A callback's decision, as with {@link valuesOf}. No decision is an array, so an array is read as several
 * values.
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
    // A generator or another iterator; an iterable that is not an iterator, such as an array or a map, is a
    // value.
    (hasMethod(returned, Symbol.iterator) && hasMethod(returned, 'next'))
  );
}

const hasMethod = (value: object, name: string | symbol): boolean =>
  typeof propertyOf(value, name) === 'function';

/** Other libraries' Observables have this method, under a string or, if the platform has one, a symbol. */
const symbolObservable = (): string | symbol =>
  (Symbol as { readonly observable?: symbol }).observable ?? '@@observable';
