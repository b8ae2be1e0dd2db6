import type { Drawing, Settings } from './drawing.js';
import { quoted, toWire } from './wire.js';

/** A step of the pipeline: as the picture's box names it, as code, and what the code imports. */
interface Step {
  readonly shown: string;
  readonly code: string;
  readonly from?: 'rxjs' | 'rxjs-chat-completions';
  readonly names: readonly string[];
}

const step = (name: string, args = ''): Step => ({
  shown: `${name}(${args})`,
  code: `${name}(${args})`,
  names: [name],
});

/** The operators that are on, in their order. */
export function pipelineOf(settings: Settings): readonly Step[] {
  const { stopWhen: stop, smooth, coalesce, initialDelay, output } = settings;
  const restart = step('restartOnBreak', `{ initialDelay: ${initialDelay}, jitter: 0 }`);
  return [
    ...(settings.requireFinish ? [step('requireFinish')] : []),
    ...(settings.restartOnBreak ? [{ ...restart, shown: 'restartOnBreak()' }] : []),
    ...(stop === undefined ? [] : [step('stopWhen', `timer(${stop})`)]),
    ...(smooth === undefined ? [] : [step('smooth', `{ delay: ${smooth} }`)]),
    ...(coalesce === undefined ? [] : [step('coalesce', String(coalesce))]),
    ...(output === 'events' ? [] : [step(output)]),
  ];
}

const optionLines = (settings: Settings, transport: boolean): readonly string[] => {
  const { maxRetries, initialDelay, responseTimeout, idleTimeout } = settings;
  return [
    transport ? "model: 'any'," : "model: 'gpt-4o-mini',",
    'provider,',
    ...(transport ? ['transport,'] : []),
    ...(settings.includeRetries ? ['includeRetries: true,'] : []),
    `retry: { maxRetries: ${maxRetries}, initialDelay: ${initialDelay}, jitter: 0 },`,
    ...(responseTimeout === undefined ? [] : [`responseTimeout: ${responseTimeout},`]),
    ...(idleTimeout === undefined ? [] : [`idleTimeout: ${idleTimeout},`]),
  ];
};

const imported = (names: readonly string[], from: string): string =>
  `import { ${[...new Set(names)].sort((a, b) => a.localeCompare(b)).join(', ')} } from '${from}';`;

const indented = (by: number, lines: readonly string[]): readonly string[] =>
  lines.map((line) => (line === '' ? '' : ' '.repeat(by) + line));

function turnOf(settings: Settings, transport: boolean, observer: readonly string[]): readonly string[] {
  const steps = pipelineOf(settings);
  return [
    "const turn = streamChatCompletions('Why is the sky blue?', {",
    ...indented(2, optionLines(settings, transport)),
    steps.length === 0 ? '});' : '}).pipe(',
    ...(steps.length === 0
      ? []
      : [
          ...indented(
            2,
            steps.map(({ code }) => `${code},`),
          ),
          ');',
        ]),
    '',
    `${settings.unsubscribe === undefined ? '' : 'const subscription = '}turn.subscribe({`,
    ...indented(2, observer),
    '});',
  ];
}

const rxjsNames = ({ stopWhen, unsubscribe }: Settings): readonly string[] =>
  stopWhen !== undefined || unsubscribe !== undefined ? ['timer'] : [];

/** The pipeline as an application has it: it asks a real provider. */
export function pipelineCode({ settings }: Drawing): string {
  const names = [
    'builtInProviders',
    'streamChatCompletions',
    ...pipelineOf(settings).flatMap((s) => s.names),
  ];
  const others = rxjsNames(settings);
  return [
    ...(others.length === 0 ? [] : [imported(others, 'rxjs')]),
    imported(names, 'rxjs-chat-completions'),
    '',
    'const provider = builtInProviders.openai; // reads OPENAI_API_KEY',
    '',
    ...turnOf(settings, false, [
      'next: (value) => console.log(value),',
      'error: (error) => console.error(error.message),',
      "complete: () => console.log('complete'),",
    ]),
    ...(settings.unsubscribe === undefined
      ? []
      : [`timer(${settings.unsubscribe}).subscribe(() => subscription.unsubscribe());`]),
    '',
  ].join('\n');
}

/** This very drawing as a program in virtual time, which needs no network and no key. */
export function drawingCode({ attempts, settings }: Drawing): string {
  const wires = attempts.map(toWire);
  const chunks = wires.flatMap(({ reads }) => reads.flatMap((read) => read.chunks.map(({ code }) => code)));
  const makers = chunks.flatMap((code) => /^(\w+)\(/.exec(code)?.[1] ?? []);
  const names = ['streamChatCompletions', ...pipelineOf(settings).flatMap((s) => s.names)];
  const others = rxjsNames(settings);
  const answers = wires.flatMap(({ answer, reads }) => [
    '{',
    ...indented(2, [
      `response: ${quoted(answer.response ?? 'r')},`,
      ...(answer.status === undefined ? [] : [`status: ${answer.status},`]),
      ...(answer.headers === undefined
        ? []
        : [`headers: { 'retry-after': ${quoted(answer.headers['retry-after'] ?? '')} },`]),
      ...(answer.body === undefined ? [] : [`body: ${quoted(answer.body)},`]),
      ...(reads.length === 0
        ? []
        : [
            'frames: {',
            ...indented(
              2,
              reads.map((read) => `${read.letter}: ${read.chunks.map(({ code }) => code).join(' + ')},`),
            ),
            '},',
          ]),
    ]),
    '},',
  ]);
  return [
    ...(others.length === 0 ? [] : [imported(others, 'rxjs')]),
    imported(names, 'rxjs-chat-completions'),
    imported(['marbleTransport', ...makers], 'rxjs-chat-completions/testing'),
    imported(['TestScheduler'], 'rxjs/testing'),
    '',
    "const provider = { name: 'playground', baseUrl: 'https://provider.example/v1' };",
    'const scheduler = new TestScheduler(() => {});',
    '',
    'scheduler.run((helpers) => {',
    ...indented(2, [
      'const transport = marbleTransport(helpers, [',
      ...indented(2, answers),
      ']);',
      ...turnOf(settings, true, [
        'next: (value) => console.log(scheduler.now(), value),',
        'error: (error) => console.log(scheduler.now(), error.name),',
        "complete: () => console.log(scheduler.now(), 'complete'),",
      ]),
      ...(settings.unsubscribe === undefined
        ? []
        : [`timer(${settings.unsubscribe}).subscribe(() => subscription.unsubscribe());`]),
    ]),
    '});',
    '',
  ].join('\n');
}
