// The careful loop by hand that everything is compared with: one streaming decoder, one parser, the body
// read to its end so that the connection can be used again. No retry, no timeout, no types.
import { createParser } from 'eventsource-parser';

export default async function turn({ baseUrl, onDelta }) {
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { Accept: 'text/event-stream', 'Content-Type': 'application/json' },
    body: JSON.stringify({
      model: 'model',
      messages: [{ role: 'user', content: 'Why is the sky blue?' }],
      stream: true,
    }),
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  let text = '';
  let complete = false;
  const parser = createParser({
    onEvent({ data }) {
      if (complete) return;
      if (data === '[DONE]') {
        complete = true;
        return;
      }
      const content = JSON.parse(data).choices[0]?.delta?.content;
      if (!content) return;
      text += content;
      onDelta?.(content);
    },
  });
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parser.feed(decoder.decode(value, { stream: true }));
  }
  return text;
}
