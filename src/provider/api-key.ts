import { defer, from, map, type Observable, of, take, throwIfEmpty } from 'rxjs';
import { MissingApiKeyError } from '../turn/errors.js';
import type { ModelProvider } from './model-provider.js';

/** The platform's environment: none in browsers. */
function environmentVariable(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  const { env } = process ?? {};
  return env !== undefined && Object.hasOwn(env, name) ? env[name] : undefined;
}

/** A key that says something: a blank one is what an unset variable looks like after `?? ''`. */
const given = (key: unknown): string | undefined =>
  typeof key === 'string' ? key.trim() || undefined : undefined;

/**
 * The key of one attempt, `undefined` for a provider that needs none. A string resolves
 * synchronously, so a turn with one can be drawn in marbles from end to end. A blank key counts as
 * none.
 */
export function resolveApiKey(provider: ModelProvider): Observable<string | undefined> {
  return defer(() => {
    const { name, apiKey, envKey, envKeyInstructions } = provider;
    if (typeof apiKey !== 'function') {
      const key = given(apiKey) ?? (envKey === undefined ? undefined : given(environmentVariable(envKey)));
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
