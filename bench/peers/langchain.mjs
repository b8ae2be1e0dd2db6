/** @langchain/openai's `stream()`, for any version of it. */
import { forEach } from './for-each.mjs';

export function stream(ChatOpenAI) {
  const modelOf = forEach(
    (baseURL) => new ChatOpenAI({ model: 'model', apiKey: 'key', configuration: { baseURL } }),
  );
  return async function turn({ baseUrl, onDelta }) {
    let text = '';
    for await (const { text: content } of await modelOf(baseUrl).stream('Why is the sky blue?')) {
      if (!content) continue;
      text += content;
      onDelta?.(content);
    }
    return text;
  };
}
