// The loop by hand over Node's own HTTP client: all that has arrived is one read.
import { Agent, request } from 'node:http';
import { createParser } from 'eventsource-parser';

const agent = new Agent({ keepAlive: true });

export default function turn({ baseUrl, onDelta }) {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({
      model: 'model',
      messages: [{ role: 'user', content: 'Why is the sky blue?' }],
      stream: true,
    });
    const headers = {
      Accept: 'text/event-stream',
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
    };
    const sent = request(`${baseUrl}/chat/completions`, { method: 'POST', agent, headers }, (response) => {
      if (response.statusCode !== 200) {
        response.destroy(new Error(`status ${response.statusCode}`));
        return;
      }
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
      response.on('readable', () => {
        for (let bytes = response.read(); bytes !== null; bytes = response.read())
          parser.feed(decoder.decode(bytes, { stream: true }));
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
