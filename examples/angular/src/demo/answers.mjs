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

const plan = `Here is where each part stands:

| Component | Owner | Status | Since | Requests per minute | Errors | What comes next |
|:---|:---|:---:|:---:|---:|---:|:---|
| authentication | Infrastructure | done | 12 May | 12,480 | 0.02 % | Rotate the signing keys before the end of the quarter, then retire the old endpoint |
| notifications | Communication | going on | 3 June | 980 | 1.40 % | Wait for the provider |
| internationalisation | Documentation | open | – | 6 | 0 % | Collect the texts of every page that is still in English only |

- [x] Write it down
- [ ] Measure it
  - [ ] on a phone

The mean is \\(\\bar{x} = \\frac{1}{n} \\sum_i x_i\\), and as a system:

\\[
\\begin{aligned} a_1 + b_1 &= 4 \\\\ a_1 - b_1 &= 2 \\end{aligned}
\\]`;

const arabic = `السماء زرقاء لأن الهواء **يبعثر** الضوء الأزرق أكثر من الأحمر.

1. يحتوي ضوء الشمس على كل الألوان.
2. تسمى هذه الظاهرة \`Rayleigh scattering\`.

> عند الغروب يقطع الضوء طريقا أطول.`;

const chinese = `天空之所以是蓝色的，是因为空气对**蓝光**的散射比对红光强得多。

- 阳光包含所有颜色的光。
- 这种现象叫做「瑞利散射」（Rayleigh scattering）。

日落时，光线穿过的大气更厚，所以天空变红。`;

const words = (text) => text.trimEnd().split(/(?<=\S)(?=\s)/);

/** The answer to a request, by what was asked last. */
export function demoAnswer({ body }) {
  const { messages } = body;
  const last = messages.at(-1);
  const question = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  if (isNaming(body)) return { content: nameFor(question) };
  if (last.role === 'tool' && /rejected/.test(last.content)) return { content: 'Then it stays as it is.' };
  if (last.role === 'tool' && /theme/.test(last.content)) return { content: 'Your page is **dark** now.' };
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
  if (/dark/i.test(question))
    return { content: [{ toolCall: { name: 'change_theme', arguments: { theme: 'dark' } } }] };
  if (/debounce/i.test(question)) return { content: debounce };
  if (/wide/i.test(question)) return { content: plan };
  if (/table/i.test(question)) return { content: drinks };
  if (/السماء/.test(question)) return { content: arabic };
  if (/天空/.test(question)) return { content: chinese };
  return {};
}

/** Whether a request asks for the name of a conversation, which the app does after the first answer. */
export const isNaming = ({ messages }) => String(messages[0]?.content).startsWith('Name this conversation');

function nameFor(question) {
  if (/sky/i.test(question)) return 'Why the sky is blue';
  if (/time/i.test(question)) return 'Time in Tokyo';
  if (/السماء/.test(question)) return 'لماذا السماء زرقاء؟';
  if (/debounce/i.test(question)) return 'Debounce in TypeScript';
  if (/table/i.test(question)) return 'Tea and coffee compared';
  return 'A short conversation';
}
