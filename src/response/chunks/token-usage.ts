import type { TokenUsage } from '../../turn/events.js';
import { isRecord, own } from '../../turn/wire.js';

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && Number.isFinite(value);

const count = (value: unknown): number => (isCount(value) ? value : 0);

function part(usage: Record<string, unknown>, details: string, key: string): unknown {
  const record = own(usage, details);
  return isRecord(record) ? own(record, key) : undefined;
}

/**
 * Usage as Chat Completions writes it, or with the names of the Responses API; `undefined` if the value is not usage.
 * Cached tokens are in the details, in `prompt_cache_hit_tokens` (DeepSeek), in `cached_tokens` (Moonshot) or in
 * `cache_read_input_tokens` (Anthropic).
 */
export function readUsage(usage: unknown): TokenUsage | undefined {
  if (!isRecord(usage)) return undefined;
  const inputTokens = count(own(usage, 'prompt_tokens') ?? own(usage, 'input_tokens'));
  const outputTokens = count(own(usage, 'completion_tokens') ?? own(usage, 'output_tokens'));
  const cached =
    part(usage, 'prompt_tokens_details', 'cached_tokens') ??
    part(usage, 'input_tokens_details', 'cached_tokens') ??
    own(usage, 'prompt_cache_hit_tokens') ??
    own(usage, 'cached_tokens') ??
    own(usage, 'cache_read_input_tokens');
  const reasoning =
    part(usage, 'completion_tokens_details', 'reasoning_tokens') ??
    part(usage, 'output_tokens_details', 'reasoning_tokens') ??
    own(usage, 'reasoning_tokens');
  const total = own(usage, 'total_tokens');
  return {
    inputTokens,
    cachedInputTokens: count(cached),
    outputTokens,
    reasoningOutputTokens: count(reasoning),
    totalTokens: isCount(total) ? total : inputTokens + outputTokens,
  };
}
