/** The two ways of openai's client to read a stream, for any version of it. */
import { forEach } from './for-each.mjs';

const request = { model: 'model', messages: [{ role: 'user', content: 'Why is the sky blue?' }] };

const clientOf = (OpenAI) => forEach((baseURL) => new OpenAI({ baseURL, apiKey: 'key' }));

/** `create({ stream: true })`: the chunks as they come. */
export function create(OpenAI) {
  const client = clientOf(OpenAI);
  return async function turn({ baseUrl, onDelta }) {
    let text = '';
    const stream = await client(baseUrl).chat.completions.create({ ...request, stream: true });
    for await (const chunk of stream) {
      const content = chunk.choices[0]?.delta?.content;
      if (!content) continue;
      text += content;
      onDelta?.(content);
    }
    return text;
  };
}

/** `.stream()`: events, and the completion put together. */
export function stream(OpenAI) {
  const client = clientOf(OpenAI);
  return async function turn({ baseUrl, onDelta }) {
    const runner = client(baseUrl).chat.completions.stream(request);
    if (onDelta) runner.on('content', onDelta);
    return await runner.finalContent();
  };
}
