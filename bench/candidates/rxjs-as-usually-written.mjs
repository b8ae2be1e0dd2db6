// What an application writes for itself: an Observable around fetch, one operator for each step, the
// timeout on every event, the connection let go at `[DONE]`.
import { createParser } from 'eventsource-parser';
import { filter, lastValueFrom, map, Observable, scan, takeWhile, tap, timeout } from 'rxjs';

const serverSentEvents = (url, init) =>
  new Observable((subscriber) => {
    const controller = new AbortController();
    (async () => {
      const response = await fetch(url, { ...init, signal: controller.signal });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const parser = createParser({ onEvent: ({ data }) => subscriber.next(data) });
      const decoder = new TextDecoder();
      for await (const bytes of response.body) parser.feed(decoder.decode(bytes, { stream: true }));
      subscriber.complete();
    })().catch((error) => subscriber.error(error));
    return () => controller.abort();
  });

export default ({ baseUrl, onDelta }) =>
  lastValueFrom(
    serverSentEvents(`${baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { Accept: 'text/event-stream', 'Content-Type': 'application/json' },
      body: JSON.stringify({
        model: 'model',
        messages: [{ role: 'user', content: 'Why is the sky blue?' }],
        stream: true,
      }),
    }).pipe(
      timeout({ each: 300_000 }),
      takeWhile((data) => data !== '[DONE]'),
      map((data) => JSON.parse(data)),
      map((chunk) => chunk.choices[0]?.delta?.content),
      filter((content) => Boolean(content)),
      onDelta ? tap(onDelta) : (source) => source,
      scan((text, content) => text + content, ''),
    ),
    { defaultValue: '' },
  );
