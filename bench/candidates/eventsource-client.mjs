// eventsource-client by its asynchronous iterator, closed at `[DONE]`, or it would connect again.
import { createEventSource } from 'eventsource-client';

export default async function turn({ baseUrl, onDelta }) {
  const source = createEventSource({
    url: `${baseUrl}/chat/completions`,
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      model: 'model',
      messages: [{ role: 'user', content: 'Why is the sky blue?' }],
      stream: true,
    }),
  });
  let text = '';
  try {
    for await (const { data } of source) {
      if (data === '[DONE]') break;
      const content = JSON.parse(data).choices[0]?.delta?.content;
      if (!content) continue;
      text += content;
      onDelta?.(content);
    }
  } finally {
    source.close();
  }
  return text;
}
