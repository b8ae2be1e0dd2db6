import type { ReasoningItem } from './events.js';

/** What a model thought, in words and in the provider's own account of it; either may be missing. */
export function reasoningItem(text: string, details: readonly unknown[]): ReasoningItem {
  return {
    type: 'reasoning',
    content: text === '' ? [] : [{ type: 'reasoning_text', text }],
    ...(details.length > 0 && { reasoning_details: details }),
  };
}
