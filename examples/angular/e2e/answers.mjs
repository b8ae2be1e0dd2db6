// What the mock provider says in demonstrations: each state of the app has a question that leads to it.

const debounce = `A debounce waits until calls have stopped coming:

\`\`\`ts
export function debounce<T extends unknown[]>(run: (...args: T) => void, wait: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (...args: T) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...args), wait);
  };
}
\`\`\`

1. Each call **restarts** the timer.
2. Only the last one runs, \`wait\` milliseconds later.

In RxJS this is [\`debounceTime\`](https://rxjs.dev/api/operators/debounceTime).`;

const drinks = `### Tea and coffee

| | Tea | Coffee |
|---|---|---|
| Caffeine in a cup | 30 to 50 mg | 80 to 100 mg |
| Brewed at | 70 to 95 °C | 90 to 96 °C |
| Keeps | two years | a few weeks |

> Both are mostly water, so the water matters.

Choose *tea* for the afternoon and *coffee* for the morning.`;

const words = (text) => text.trimEnd().split(/(?<=\S)(?=\s)/);

/** The answer to a request, by what was asked last. */
export function demoAnswer({ body }) {
  const { messages } = body;
  const last = messages.at(-1);
  const question = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  if (isNaming(body)) return { content: nameFor(question) };
  if (last.role === 'tool') return { content: `In Tokyo it is now **${last.content}**.` };
  if (/time/i.test(question))
    return {
      content: [
        ...words(
          'The user asks for a time. I have no clock, but a tool that has one: I shall ask it for Asia/Tokyo.',
        ).map((reasoning) => ({ reasoning })),
        { toolCall: { name: 'local_time', arguments: { time_zone: 'Asia/Tokyo' } } },
      ],
    };
  if (/debounce/i.test(question)) return { content: debounce };
  if (/table/i.test(question)) return { content: drinks };
  return {};
}

/** Whether a request asks for the name of a conversation, which the app does after the first answer. */
export const isNaming = ({ messages }) => String(messages[0]?.content).startsWith('Name this conversation');

function nameFor(question) {
  if (/sky/i.test(question)) return 'Why the sky is blue';
  if (/time/i.test(question)) return 'Time in Tokyo';
  if (/debounce/i.test(question)) return 'Debounce in TypeScript';
  if (/table/i.test(question)) return 'Tea and coffee compared';
  return 'A short conversation';
}
