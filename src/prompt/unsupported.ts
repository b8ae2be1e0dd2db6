import type { ChatRequest } from './chat-request.js';

/** A part of OpenAI's requests that some providers reject, or silently ignore. */
export type UnsupportedFeature =
  'developer' | 'parallel_tool_calls' | 'stream_options' | 'max_tokens' | 'max_completion_tokens';

const otherNames: Readonly<Record<string, UnsupportedFeature>> = {
  max_tokens: 'max_completion_tokens',
  max_completion_tokens: 'max_tokens',
};

/** Removes what the provider does not support; see `ModelProvider.unsupported` for what is sent instead. */
export function withoutUnsupported(
  request: ChatRequest,
  unsupported: readonly UnsupportedFeature[] = [],
): ChatRequest {
  const lacks = (name: string) => unsupported.some((feature) => feature === name);
  const fields = Object.entries(request).flatMap(([name, value]) => {
    if (!lacks(name)) return [[name, value]];
    const other = Object.hasOwn(otherNames, name) ? otherNames[name] : undefined;
    return other === undefined || lacks(other) || Object.hasOwn(request, other) ? [] : [[other, value]];
  });
  const supported = Object.fromEntries(fields) as ChatRequest;
  if (!lacks('developer')) return supported;
  const messages = request.messages.map((message) =>
    message.role === 'developer' ? { ...message, role: 'system' } : message,
  );
  return { ...supported, messages };
}
