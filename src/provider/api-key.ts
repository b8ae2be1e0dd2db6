import { defer, from, map, type Observable, of, take, throwError, throwIfEmpty } from 'rxjs';
import { MissingApiKeyError } from '../turn/errors.js';
import type { ModelProvider } from './model-provider.js';

/** The platform's environment: none in browsers. */
function environmentVariable(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  const { env } = process ?? {};
  return env !== undefined && Object.hasOwn(env, name) ? env[name] : undefined;
}

/**
 * The key of one attempt, `undefined` for a provider that needs none. A string resolves
 * synchronously, so a turn with one can be drawn in marbles from end to end. A blank key counts as
 * none: it is what an unset variable looks like after `?? ''`.
 */
export function resolveApiKey(provider: ModelProvider): Observable<string | undefined> {
  const { name, apiKey, envKey, envKeyInstructions } = provider;
  if (typeof apiKey === 'function') {
    const missing = () => new MissingApiKeyError(name);
    return defer(() => {
      const keys = apiKey();
      // To RxJS a string is an iterable of its characters.
      return typeof keys === 'string' ? of(keys) : from(keys);
    }).pipe(
      take(1),
      throwIfEmpty(missing),
      map((key) => {
        const trimmed = typeof key === 'string' ? key.trim() : '';
        if (trimmed === '') throw missing();
        return trimmed;
      }),
    );
  }
  return defer(() => {
    const given = apiKey?.trim() ?? '';
    if (given !== '') return of(given);
    if (envKey === undefined) return of(undefined);
    const fromEnvironment = environmentVariable(envKey)?.trim() ?? '';
    return fromEnvironment === ''
      ? throwError(() => new MissingApiKeyError(name, envKey, envKeyInstructions))
      : of(fromEnvironment);
  });
}
