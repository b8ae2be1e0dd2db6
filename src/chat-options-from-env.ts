import type { ChatOptions } from './options.js';
import { builtInProviders } from './provider/built-in-providers.js';
import type { ModelProvider } from './provider/model-provider.js';

/** Options in which the model is optional, because the environment may not name one. */
export type ChatOptionsFromEnv = Omit<ChatOptions, 'model'> & Partial<Pick<ChatOptions, 'model'>>;

/**
 * Reads options from the environment variables that OpenAI's tools use, and from two more:
 *
 * | variable | option |
 * |---|---|
 * | `OPENAI_API_KEY` | `provider.apiKey` |
 * | `OPENAI_BASE_URL` | `provider.baseUrl`; no key is required then, because your own servers rarely need one |
 * | `OPENAI_MODEL` | `model` |
 * | `OPENAI_REQUEST_MAX_RETRIES` | `retry.maxRetries` |
 * | `OPENAI_STREAM_IDLE_TIMEOUT_MS` | `idleTimeout` |
 *
 * Unset and blank variables are ignored.
 *
 * @example
 * ```ts
 * const options = { model: 'gpt-4o-mini', ...chatOptionsFromEnv(process.env) };
 * ```
 *
 * @throws TypeError if a numeric variable is not a number
 */
export function chatOptionsFromEnv(env: Readonly<Record<string, string | undefined>>): ChatOptionsFromEnv {
  const read = (name: string) => {
    const value = Object.hasOwn(env, name) ? env[name]?.trim() : undefined;
    return value === '' ? undefined : value;
  };
  const readNumber = (name: string, least: number) => {
    const value = read(name);
    if (value === undefined) return undefined;
    if (!/^\d+$/.test(value) || Number(value) < least) {
      throw new TypeError(`The environment variable ${name} must be a whole number of at least ${least}.`);
    }
    return Number(value);
  };
  const apiKey = read('OPENAI_API_KEY');
  const baseUrl = read('OPENAI_BASE_URL');
  const model = read('OPENAI_MODEL');
  const maxRetries = readNumber('OPENAI_REQUEST_MAX_RETRIES', 0);
  const idleTimeout = readNumber('OPENAI_STREAM_IDLE_TIMEOUT_MS', 1);
  const provider: ModelProvider =
    baseUrl === undefined ? builtInProviders.openai : { name: 'OPENAI_BASE_URL', baseUrl };
  return {
    provider: { ...provider, ...(apiKey !== undefined && { apiKey }) },
    ...(model !== undefined && { model }),
    ...(maxRetries !== undefined && { retry: { maxRetries } }),
    ...(idleTimeout !== undefined && { idleTimeout }),
  };
}
