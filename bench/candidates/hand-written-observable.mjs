// The same loop in a cold Observable that unsubscribing aborts, and nothing else: what a turn over `fetch`
// costs at least, whatever library runs it.
import { createParser } from 'eventsource-parser';
import { Observable } from 'rxjs';

const turnOf = (baseUrl) =>
  new Observable((subscriber) => {
    const controller = new AbortController();
    const pump = async () => {
      const response = await fetch(`${baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { Accept: 'text/event-stream', 'Content-Type': 'application/json' },
        body: JSON.stringify({
          model: 'model',
          messages: [{ role: 'user', content: 'Why is the sky blue?' }],
          stream: true,
        }),
        signal: controller.signal,
      });
      if (!response.ok) throw new Error(`status ${response.status}`);
      let complete = false;
      const parser = createParser({
        onEvent({ data }) {
          if (complete) return;
          if (data === '[DONE]') {
            complete = true;
            return;
          }
          const content = JSON.parse(data).choices[0]?.delta?.content;
          if (content) subscriber.next(content);
        },
      });
      const decoder = new TextDecoder();
      const reader = response.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        parser.feed(decoder.decode(value, { stream: true }));
      }
      subscriber.complete();
    };
    pump().catch((error) => subscriber.error(error));
    return () => controller.abort();
  });

export default ({ baseUrl, onDelta }) =>
  new Promise((resolve, reject) => {
    let text = '';
    turnOf(baseUrl).subscribe({
      next(delta) {
        text += delta;
        onDelta?.(delta);
      },
      error: reject,
      complete: () => resolve(text),
    });
  });
