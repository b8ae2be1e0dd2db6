import { defer, from, map, type Observable, of, take, throwIfEmpty } from 'rxjs';
import { MissingApiKeyError } from '../turn/errors.js';
import { own, stringOf } from '../turn/wire.js';
import type { ModelProvider } from './model-provider.js';

/** The platform's environment: none in browsers. */
const environment = () => (globalThis as { process?: { env?: Record<string, unknown> } }).process?.env ?? {};

/** A key that says something: a blank one is what an unset variable looks like after `?? ''`. */
const given = (key: unknown): string | undefined => stringOf(key).trim() || undefined;

/**
 * The key of one attempt, `undefined` for a provider that needs none. A string resolves
 * synchronously, so a turn with one can be drawn in marbles from end to end. A blank key counts as
 * none.
 */
export function resolveApiKey(provider: ModelProvider): Observable<string | undefined> {
  return defer(() => {
    const { name, apiKey, envKey, envKeyInstructions } = provider;
    if (typeof apiKey !== 'function') {
      const key = given(apiKey) ?? (envKey === undefined ? undefined : given(own(environment(), envKey)));
      if (key !== undefined || envKey === undefined) return of(key);
      throw new MissingApiKeyError(name, envKey, envKeyInstructions);
    }
    const missing = () => new MissingApiKeyError(name);
    const keys = apiKey();
    // To RxJS a string is an iterable of its characters.
    return (typeof keys === 'string' ? of(keys) : from(keys)).pipe(
      take(1),
      throwIfEmpty(missing),
      map((value) => {
        const key = given(value);
        if (key === undefined) throw missing();
        return key;
      }),
    );
  });
}
