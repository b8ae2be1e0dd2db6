import { defer, from, map, type Observable, of, type SchedulerLike, take, throwIfEmpty } from 'rxjs';
import { firstWithin } from '../flow/first-within.js';
import { MissingApiKeyError } from '../turn/errors.js';
import { own, stringOf } from '../turn/wire.js';
import type { ModelProvider } from './model-provider.js';

/** The platform's environment variables; none in browsers. */
const environment = () => (globalThis as { process?: { env?: Record<string, unknown> } }).process?.env ?? {};

/** A key that is not blank: an unset variable is blank after `?? ''`. */
const given = (key: unknown): string | undefined => stringOf(key).trim() || undefined;

/**
 * The key for one attempt; `undefined` for a provider that needs none. A string resolves synchronously, so its
 * turn can be marble-tested from end to end. A blank key counts as none.
 *
 * ```
 * apiKey   -----------k
 *          resolveApiKey({ apiKeyTimeout: 6 })
 * result   ------#                              MissingApiKeyError
 * ```
 */
export function resolveApiKey(
  provider: ModelProvider,
  scheduler: SchedulerLike,
): Observable<string | undefined> {
  return defer(() => {
    const { name, apiKey, envKey, envKeyInstructions, apiKeyTimeout = 60_000 } = provider;
    if (typeof apiKey !== 'function') {
      const key = given(apiKey) ?? (envKey === undefined ? undefined : given(own(environment(), envKey)));
      if (key !== undefined || envKey === undefined) return of(key);
      throw new MissingApiKeyError(name, envKey, envKeyInstructions);
    }
    const missing = (limit?: number) => new MissingApiKeyError(name, undefined, undefined, limit);
    const keys = apiKey();
    // RxJS would take a string as an iterable of its characters.
    return (typeof keys === 'string' ? of(keys) : from(keys)).pipe(
      take(1),
      firstWithin(apiKeyTimeout, () => missing(apiKeyTimeout), scheduler),
      throwIfEmpty(missing),
      map((value) => {
        const key = given(value);
        if (key === undefined) throw missing();
        return key;
      }),
    );
  });
}
