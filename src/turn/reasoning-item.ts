import type { ProviderFields, ReasoningItem } from './events.js';

/** A model's reasoning, as text and in the provider's structured form; either may be missing. */
export function reasoningItem(
  text: string,
  details: readonly unknown[],
  { extras, provider }: { readonly [Name in keyof ProviderFields]: ProviderFields[Name] | undefined } = {},
): ReasoningItem {
  return {
    type: 'reasoning',
    content: text === '' ? [] : [{ type: 'reasoning_text', text }],
    ...(details.length > 0 && { reasoning_details: details }),
    ...(extras !== undefined && { extras }),
    ...(provider !== undefined && { provider }),
  };
}
