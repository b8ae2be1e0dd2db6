import {
  catchError,
  connect,
  EMPTY,
  identity,
  ignoreElements,
  merge,
  type Observable,
  type OperatorFunction,
  tap,
  timer,
} from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import {
  accumulate,
  aggregate,
  type ChatOptions,
  coalesce,
  idleState,
  requireFinish,
  type ResponseEvent,
  restartOnBreak,
  smooth,
  stopWhen,
  streamChatCompletions,
  textDeltas,
  toState,
  type TurnState,
} from 'rxjs-chat-completions';
import { marbleTransport, type MarbleTransport } from 'rxjs-chat-completions/testing';
import {
  draw,
  type MarbleRecord,
  type Note,
  type Picture,
  type Row,
  type Span,
} from '../../scripts/marbles/draw.mjs';
import { type Label, labelOf } from '../../scripts/marbles/labels.js';
import { pipelineOf } from './code.js';
import type { Drawing, Output, Settings } from './drawing.js';
import { toWire, type WireAnswer } from './wire.js';

export const question = 'Why is the sky blue?';

/** Something that came out, and when. */
export type Happening =
  | { readonly frame: number; readonly kind: 'N'; readonly value: unknown }
  | { readonly frame: number; readonly kind: 'E'; readonly error: unknown }
  | { readonly frame: number; readonly kind: 'C' };

/** One request: when it was made, when its headers were there, and when it was over, and how. */
export interface Connection {
  readonly requested: number;
  readonly headers: number | undefined;
  readonly over: number | undefined;
  readonly how: 'open' | 'ended' | 'broke' | 'failed' | 'aborted';
}

export interface Run {
  readonly happened: readonly Happening[];
  readonly states: readonly { readonly frame: number; readonly state: TurnState }[];
  readonly connections: readonly Connection[];
  /** The last time at which anything happened. */
  readonly end: number;
  readonly picture: Picture;
  readonly record: MarbleRecord;
}

const provider = { name: 'playground', baseUrl: 'https://provider.example/v1' };

/** Runs the library over what was drawn, in virtual time. */
export function run({ attempts, settings }: Drawing): Run {
  const wires = attempts.map(toWire);
  const happened: Happening[] = [];
  const states: { frame: number; state: TurnState }[] = [];
  const scheduler = new TestScheduler(() => undefined);
  const transport = scheduler.run((helpers) => {
    const connections = marbleTransport(
      helpers,
      wires.map(({ answer }) => answer),
    );
    const now = () => scheduler.now();
    const turn = streamChatCompletions(question, optionsOf(settings, connections)).pipe(
      operators(settings),
      connect((events) =>
        merge(
          events.pipe(
            toState(),
            tap((state) => states.push({ frame: now(), state })),
            ignoreElements(),
            catchError(() => EMPTY),
          ),
          events.pipe(output(settings.output)),
        ),
      ),
    );
    const subscription = turn.subscribe({
      next: (value) => happened.push({ frame: now(), kind: 'N', value }),
      error: (error: unknown) => happened.push({ frame: now(), kind: 'E', error }),
      complete: () => happened.push({ frame: now(), kind: 'C' }),
    });
    if (settings.unsubscribe !== undefined) {
      scheduler.schedule(() => subscription.unsubscribe(), settings.unsubscribe);
    }
    return connections;
  });
  return { happened, states, ...drawn(wires, transport, happened, settings) };
}

const optionsOf = (settings: Settings, transport: MarbleTransport): ChatOptions => ({
  model: 'any',
  provider,
  transport,
  includeRetries: settings.includeRetries,
  retry: { maxRetries: settings.maxRetries, initialDelay: settings.initialDelay, jitter: 0 },
  responseTimeout: settings.responseTimeout,
  idleTimeout: settings.idleTimeout,
});

type Step = (events: Observable<ResponseEvent>) => Observable<ResponseEvent>;

const operators = (settings: Settings): Step => {
  const { stopWhen: stop, smooth: delay, coalesce: due } = settings;
  const steps: readonly Step[] = [
    settings.requireFinish ? requireFinish() : identity,
    settings.restartOnBreak ? restartOnBreak({ initialDelay: settings.initialDelay, jitter: 0 }) : identity,
    stop === undefined ? identity : stopWhen(timer(stop)),
    delay === undefined ? identity : smooth({ delay }),
    due === undefined ? identity : coalesce(due),
  ];
  return (events) => steps.reduce((before, step) => step(before), events);
};

function output(name: Output): OperatorFunction<ResponseEvent, unknown> {
  switch (name) {
    case 'events':
      return identity;
    case 'textDeltas':
      return textDeltas();
    case 'accumulate':
      return accumulate();
    case 'toState':
      return toState();
    case 'aggregate':
      return aggregate();
  }
}

/** The state of the turn at a time, whatever comes out. */
export const stateAt = ({ states }: Run, time: number): TurnState =>
  states.filter(({ frame }) => frame <= time).at(-1)?.state ?? idleState;

/** A picture that is wider has too many marbles to be of use. */
const widest = 8_000;

/** The picture as SVG; `undefined` where it would be wider than anybody scrolls. */
export function pictureOf(
  { picture, record }: Run,
  options: { readonly theme: 'light' | 'dark'; readonly cursor?: number | undefined },
  room: number,
): string | undefined {
  if ([...record.sources, ...record.results].some(({ messages }) => messages.length > 250)) return undefined;
  for (let width = room; width < widest; width *= 1.15) {
    try {
      return draw(picture, record, { ...options, widest: Math.ceil(width), unit: 20 });
    } catch {
      // It is wider than that.
    }
  }
  return undefined;
}

/** What the project's drawer draws. */
function drawn(
  wires: readonly WireAnswer[],
  transport: MarbleTransport,
  happened: readonly Happening[],
  settings: Settings,
): Pick<Run, 'connections' | 'end' | 'picture' | 'record'> {
  const answers: Row[] = [];
  const bodies: Row[] = [];
  const connections: Connection[] = [];
  for (const [index, { head, reads }] of wires.entries()) {
    const connection = transport.connections[index];
    const [asked] = connection?.response.subscriptions ?? [];
    if (connection === undefined || asked === undefined) break;
    const labels = new Map(
      reads.map(({ letter, chunks }) => [letter, labelOfRead(chunks.map((c) => c.label))]),
    );
    answers.push(row(connection.response, () => head));
    const [read] = connection.body.subscriptions;
    if (read !== undefined) {
      bodies.push(row(connection.body, (letter) => labels.get(letter) ?? { tone: 'wire', lines: [letter] }));
    }
    connections.push(told(connection, asked.subscribedFrame));
  }
  const [last] = happened.slice(-1);
  const isOver = last !== undefined && last.kind !== 'N';
  const left = isOver ? undefined : settings.unsubscribe;
  const times = [
    ...happened.map(({ frame }) => frame),
    ...connections.map(({ headers = 0, over = 0 }) => Math.max(headers, over)),
    left ?? 0,
  ];
  const result: Row = {
    messages: happened.map((each): Note => {
      const { frame, kind } = each;
      if (kind === 'N') return { frame, kind, label: shortened(labelOf(each.value)) };
      return kind === 'E' ? { frame, kind, label: labelOf(each.error) } : { frame, kind };
    }),
    subscriptions: [left === undefined ? { from: 0 } : { from: 0, to: left }],
  };
  return {
    connections,
    end: Math.max(...times),
    picture: {
      name: 'playground',
      call:
        pipelineOf(settings)
          .map((step) => step.shown)
          .join(', ') || 'streamChatCompletions()',
      rows: [
        { name: 'answers', sources: answers.map((_row, index) => index), answers: true },
        ...(bodies.length > 0
          ? [{ name: 'bodies', sources: bodies.map((_row, index) => answers.length + index) }]
          : []),
      ],
      result: settings.output === 'textDeltas' ? 'text' : 'result',
    },
    record: { sources: [...answers, ...bodies], results: [result] },
  };
}

/** Several events of one read are one marble. */
function labelOfRead(labels: readonly Label[]): Label {
  const [first = { tone: 'wire', lines: [''] }, ...others] = labels;
  if (others.length === 0) return first;
  const texts = labels.map(({ lines = [] }) => lines.at(-1) ?? '');
  return {
    tone: first.tone,
    lines: texts.length === 2 ? texts : [texts[0] ?? '', `and ${others.length} more`],
  };
}

/** Of a growing text, its end: what is new. */
const shortened = (label: Label): Label => ({
  ...label,
  ...(label.lines && {
    lines: label.lines.map((line) => (line.length > 16 ? `…${line.slice(-14)}` : line)),
  }),
});

type Cold = MarbleTransport['connections'][number]['response'];

function row({ messages, subscriptions }: Cold, label: (value: string) => Label): Row {
  return {
    kind: 'cold',
    messages: messages.map(({ frame, notification }): Note => {
      const { kind } = notification;
      if (kind === 'N') return { frame, kind, label: label(String(notification.value)) };
      return kind === 'E' ? { frame, kind, label: { tone: 'error', lines: ['cut'] } } : { frame, kind };
    }),
    subscriptions: subscriptions.map(({ subscribedFrame: from, unsubscribedFrame: to }): Span =>
      to === Infinity ? { from } : { from, to },
    ),
  };
}

function told({ response, body }: MarbleTransport['connections'][number], requested: number): Connection {
  const [head] = response.messages;
  const [asked] = response.subscriptions;
  const [read] = body.subscriptions;
  const left = asked?.unsubscribedFrame ?? Infinity;
  if (read === undefined) {
    const answered = head !== undefined && requested + head.frame <= left;
    const failed = answered && head.notification.kind === 'E';
    return {
      requested,
      headers: answered && !failed ? requested + head.frame : undefined,
      over: left === Infinity ? undefined : left,
      how: failed ? 'failed' : left === Infinity ? 'open' : 'aborted',
    };
  }
  const { subscribedFrame: headers, unsubscribedFrame: over } = read;
  const last = body.messages.at(-1);
  const ended = last !== undefined && last.notification.kind !== 'N' && headers + last.frame <= over;
  return {
    requested,
    headers,
    over: over === Infinity ? undefined : over,
    how: ended
      ? last.notification.kind === 'E'
        ? 'broke'
        : 'ended'
      : over === Infinity
        ? 'open'
        : 'aborted',
  };
}
