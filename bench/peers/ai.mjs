/** `streamText` of ai with its provider for compatible endpoints, for any version of them. */
import { forEach } from './for-each.mjs';

export function textStream(streamText, createOpenAICompatible) {
  const providerOf = forEach((baseURL) => createOpenAICompatible({ name: 'bench', baseURL, apiKey: 'key' }));
  return async function turn({ baseUrl, onDelta }) {
    let text = '';
    const { textStream } = streamText({
      model: providerOf(baseUrl)('model'),
      prompt: 'Why is the sky blue?',
    });
    for await (const content of textStream) {
      text += content;
      onDelta?.(content);
    }
    return text;
  };
}
