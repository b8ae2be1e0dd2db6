import { InvalidProviderError, MissingApiKeyError, platformCode, TransportError } from '../turn/errors.js';
import type { CompletedEvent, RetryingEvent } from '../turn/events.js';
import { readProviderError } from '../turn/provider-error.js';
import { nameless } from './configuration.js';
import { oneLine } from './printable.js';

/** A duration, as short as is useful. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1_000;
  return `${seconds < 10 ? Number(seconds.toFixed(1)) : Math.round(seconds)} s`;
}

export function retryNotice({ error, delay }: RetryingEvent): string {
  const what =
    error instanceof TransportError
      ? `no answer${parenthesised(platformCode(error.cause))}`
      : `${error.status}`;
  return `${what}, retrying in ${duration(delay)}`;
}

/** What a turn cost, and how it ended if not normally. */
export function summary(
  { usage, finishReason, incompleteCalls = 0 }: CompletedEvent,
  milliseconds: number,
): string {
  const parts: string[] = [];
  if (usage !== null) {
    const { inputTokens, cachedInputTokens, outputTokens, reasoningOutputTokens } = usage;
    parts.push(
      `${inputTokens} tokens in${parenthesised(cachedInputTokens > 0 ? `${cachedInputTokens} cached` : undefined)}`,
      `${outputTokens} out${parenthesised(reasoningOutputTokens > 0 ? `${reasoningOutputTokens} reasoning` : undefined)}`,
    );
  }
  parts.push(duration(milliseconds));
  if (finishReason !== null && finishReason !== 'stop')
    parts.push(`finish reason ${oneLine(finishReason, 40)}`);
  if (incompleteCalls > 0)
    parts.push(
      incompleteCalls === 1 ? '1 tool call was cut off' : `${incompleteCalls} tool calls were cut off`,
    );
  return parts.join(', ');
}

/** Who was asked. */
export interface Asked {
  readonly name: string;
}

/** An error as one line, with the provider's message if there is one, since the user may see it. */
export function explain(error: unknown, asked?: Asked): string {
  const said = oneLine(wordsOf(error));
  return `${oneLine(sentence(error, asked), 1_000)}${said === '' ? '' : ` It said: ${said}`}`;
}

/** The library's message, in command-line terms. */
function sentence(error: unknown, asked?: Asked): string {
  const message = error instanceof Error ? error.message : String(error);
  if (asked === undefined) return message;
  const { name } = asked;
  if (error instanceof MissingApiKeyError && error.envKey !== undefined)
    return `${name} needs an API key: set the environment variable ${error.envKey}.${error.instructions === undefined ? '' : ` ${error.instructions}`}`;
  if (name !== nameless) return message;
  if (error instanceof InvalidProviderError && error.setting === 'baseUrl')
    return message.replace(/^[^:]*/, '--base-url is invalid');
  return error instanceof TransportError ? message.replace(`"${nameless}" at `, '') : message;
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { body, providerMessage, snippet } = error as Error & {
    body?: unknown;
    providerMessage?: unknown;
    snippet?: unknown;
  };
  const words = [providerMessage, snippet, body].find((text) => typeof text === 'string' && text !== '');
  if (typeof words !== 'string') return '';
  const reported = readProviderError(parseJson(words))?.message;
  return reported ?? (words.trimStart().startsWith('<') ? words.replace(/<[^>]*>?/g, ' ') : words);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const parenthesised = (detail: string | undefined) => (detail === undefined ? '' : ` (${detail})`);
