// @microsoft/fetch-event-source, which is written for browsers: it looks for `window` and `document`.
import { fetchEventSource } from '@microsoft/fetch-event-source';

globalThis.window ??= globalThis;
globalThis.document ??= new EventTarget();

export default async function turn({ baseUrl, onDelta }) {
  let text = '';
  let complete = false;
  await fetchEventSource(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      model: 'model',
      messages: [{ role: 'user', content: 'Why is the sky blue?' }],
      stream: true,
    }),
    openWhenHidden: true,
    onmessage({ data }) {
      // A comment ends in a message without data.
      if (complete || data === '') return;
      if (data === '[DONE]') {
        complete = true;
        return;
      }
      const content = JSON.parse(data).choices[0]?.delta?.content;
      if (!content) return;
      text += content;
      onDelta?.(content);
    },
    onerror(error) {
      throw error;
    },
  });
  return text;
}
