import type {
  CompletedEvent,
  FunctionCallArgumentsDeltaEvent,
  OutputItemDoneEvent,
  ProviderFields,
  ResponseEvent,
  RestartingEvent,
  TokenUsage,
} from '../turn/events.js';
import { type ChatCompletionsError, StreamError } from '../turn/errors.js';
import { textOfDetails } from '../response/chunks/reasoning.js';
import { isCall } from '../turn/is-call.js';
import { reasoningItem } from '../turn/reasoning-item.js';

/** The answer's id and model, where a builder is given none. */
export const testAnswer = { id: 'chatcmpl-test', model: 'test-model' } as const;

/** The choice of an event. */
export interface EventOptions {
  /** The number of the choice; default 0. */
  readonly choice?: number;
}

/** A tool call by the model, with its provider-specific fields. */
export interface ToolCall extends ProviderFields {
  /** Unique in its turn. Default `call_<choice>_<index>`. */
  readonly callId?: string;
  readonly name: string;
  /** A function's arguments: JSON text in one or several pieces, or an object to serialise. Default `'{}'`. */
  readonly arguments?: string | readonly string[] | Readonly<Record<string, unknown>>;
  /** A custom tool's input in one or several pieces, which makes it a custom tool call. */
  readonly input?: string | readonly string[];
}

/** How a turn ends. */
export interface CompletedOptions {
  /** Default `'chatcmpl-test'`; `''`: none. */
  readonly responseId?: string;
  /** Default `'test-model'`; `''`: none. */
  readonly model?: string;
  /** Default `'stop'`, or `'tool_calls'` where the choice has a call; `null`: the stream ends without one. */
  readonly finishReason?: string | null;
  /** Default `'done'`, or `'eof'` where there is no finish reason. */
  readonly endedBy?: CompletedEvent['endedBy'];
  /** Missing numbers are 0, and the total is the sum. Default `null`: the stream has none. */
  readonly usage?: Partial<TokenUsage> | null;
  /** Why the other choices stopped, where it is not the default. */
  readonly choices?: CompletedEvent['choices'];
  /** How many calls were cut. Default 0. */
  readonly incompleteCalls?: number;
}

/** A part of a turn. */
export type TurnPart =
  | string
  | OutputItemDoneEvent
  | FunctionCallArgumentsDeltaEvent
  | readonly (OutputItemDoneEvent | FunctionCallArgumentsDeltaEvent)[];

const labelOf = ({ choice = 0 }: EventOptions): { readonly choice?: number } =>
  choice === 0 ? {} : { choice };

/**
 * The event of one piece of text.
 *
 * @example
 * ```ts
 * of(textEvent('Hi')).pipe(textDeltas()); // 'Hi'
 * ```
 */
export function textEvent(text: string, options: EventOptions = {}): OutputItemDoneEvent {
  return {
    type: 'output_item_done',
    item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] },
    ...labelOf(options),
  };
}

/**
 * The event of one piece of a refusal.
 *
 * @example
 * ```ts
 * const refused = turnOf(refusalEvent('I cannot help with that.'));
 * ```
 */
export function refusalEvent(refusal: string, options: EventOptions = {}): OutputItemDoneEvent {
  return {
    type: 'output_item_done',
    item: { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal }] },
    ...labelOf(options),
  };
}

/** Where reasoning belongs, the provider's own account of it, and what else it wants back. */
export interface ReasoningOptions extends EventOptions, ProviderFields {
  /** `reasoning_details` as OpenRouter sends them; where there is no text, their words are the text. */
  readonly details?: readonly unknown[];
}

/**
 * The event of one piece of reasoning.
 *
 * @example
 * ```ts
 * const thought = turnOf(reasoningEvent('Air scatters blue light.'), 'Because of the air.');
 * ```
 */
export function reasoningEvent(text: string, options: ReasoningOptions = {}): OutputItemDoneEvent {
  const { details = [] } = options;
  const words = text === '' ? textOfDetails(details) : text;
  return {
    type: 'output_item_done',
    item: { ...reasoningItem(words, details), ...saidOf(options) },
    ...labelOf(options),
  };
}

/**
 * The events of one choice's calls: each piece as it is written, then each call whole, which is the
 * order in which a stream gives them.
 *
 * @example
 * ```ts
 * const asked = turnOf(
 *   toolCallEvents([
 *     { name: 'weather', arguments: { city: 'Bern' } },
 *     { name: 'time', arguments: ['{"zone":', '"CET"}'] },
 *   ]),
 * );
 * ```
 *
 * @param calls - all calls of the choice, in order: they are numbered by their place
 */
export function toolCallEvents(
  calls: ToolCall | readonly ToolCall[],
  options: EventOptions = {},
): readonly (OutputItemDoneEvent | FunctionCallArgumentsDeltaEvent)[] {
  const label = labelOf(options);
  const written = listOf(calls).map((call, index) => {
    const { name, callId = `call_${options.choice ?? 0}_${index}` } = call;
    const isCustom = call.input !== undefined;
    return { index, name, callId, pieces: piecesOf(call), isCustom, said: saidOf(call) };
  });
  const deltas = written.flatMap(({ callId, name, index, pieces }) =>
    pieces.map((delta): FunctionCallArgumentsDeltaEvent => ({
      type: 'function_call_arguments_delta',
      callId,
      name,
      index,
      delta,
      ...label,
    })),
  );
  const items = written.map(({ callId, name, pieces, isCustom, said }): OutputItemDoneEvent => {
    const text = pieces.join('');
    return {
      type: 'output_item_done',
      item: isCustom
        ? { type: 'custom_tool_call', call_id: callId, name, input: text, ...said }
        : { type: 'function_call', call_id: callId, name, arguments: text, ...said },
      ...label,
    };
  });
  return [...deltas, ...items];
}

const saidOf = ({ extras, provider }: ProviderFields): ProviderFields => ({
  ...(extras !== undefined && { extras }),
  ...(provider !== undefined && { provider }),
});

function listOf(calls: ToolCall | readonly ToolCall[]): readonly ToolCall[] {
  return 'name' in calls ? [calls] : calls;
}

function piecesOf({ input, arguments: args = '{}' }: ToolCall): readonly string[] {
  const text = input ?? args;
  const pieces = typeof text === 'string' ? [text] : isPieces(text) ? text : [JSON.stringify(text)];
  return pieces.filter((piece) => piece !== '');
}

const isPieces = (value: object): value is readonly string[] => Array.isArray(value);

/**
 * The event of a turn's end.
 *
 * @example
 * ```ts
 * const cutShort = completedEvent({ finishReason: 'length', usage: { inputTokens: 9, outputTokens: 512 } });
 * ```
 */
export function completedEvent(options: CompletedOptions = {}): CompletedEvent {
  const {
    responseId = testAnswer.id,
    model = testAnswer.model,
    finishReason = 'stop',
    choices = [],
    incompleteCalls = 0,
  } = options;
  return {
    type: 'completed',
    responseId,
    ...(model !== '' && { model }),
    finishReason,
    usage: options.usage ? tokenUsage(options.usage) : null,
    endedBy: options.endedBy ?? (finishReason === null ? 'eof' : 'done'),
    ...(choices.length > 0 && { choices }),
    ...(incompleteCalls > 0 && { incompleteCalls }),
  };
}

/** How an attempt failed. */
export interface RestartingOptions {
  /** Number of the attempt that failed. Default 1. */
  readonly attempt?: number;
  /** Milliseconds until the next. Default 0. */
  readonly delay?: number;
  /** Default: a `StreamError`. */
  readonly error?: ChatCompletionsError;
}

/**
 * The event that takes back what came of a turn before it.
 *
 * @example
 * ```ts
 * const restarted = [...turnOf('Once upon').slice(0, -1), restartingEvent(), ...turnOf('Once upon a time')];
 * ```
 */
export function restartingEvent(options: RestartingOptions = {}): RestartingEvent {
  const { attempt = 1, delay = 0, error = new StreamError() } = options;
  return { type: 'restarting', attempt, delay, error };
}

/** Usage with nothing left out. */
export function tokenUsage(usage: Partial<TokenUsage>): TokenUsage {
  const { inputTokens = 0, outputTokens = 0 } = usage;
  return {
    inputTokens,
    cachedInputTokens: 0,
    outputTokens,
    reasoningOutputTokens: 0,
    totalTokens: inputTokens + outputTokens,
    ...usage,
  };
}

/**
 * The events of a whole turn, `completed` last, in the order of a stream: complete calls come at the end. A
 * string is a piece of text; empty pieces are left out, since no stream emits them.
 *
 * Use `from(turnOf('Hel', 'lo'))` to test your own operators; `wireOf` converts it to what a provider would
 * have sent.
 *
 * @example
 * ```ts
 * from(turnOf('Hel', 'lo')).pipe(textDeltas()); // 'Hel', 'lo'
 * turnOf(reasoningEvent('Hm.'), 'Yes.', { usage: { inputTokens: 9, outputTokens: 3 } });
 * turnOf('First choice', textEvent('Second choice', { choice: 1 }));
 * turnOf(toolCallEvents({ name: 'weather', arguments: { city: 'Bern' } }));
 * ```
 *
 * @param parts - the parts in order; the last may say how the turn ends
 */
export function turnOf(
  ...parts: readonly TurnPart[] | readonly [...TurnPart[], CompletedOptions]
): readonly ResponseEvent[] {
  let ending: CompletedOptions = {};
  const events: (OutputItemDoneEvent | FunctionCallArgumentsDeltaEvent)[] = [];
  for (const part of parts) {
    if (typeof part === 'string') events.push(textEvent(part));
    else if (isEvents(part)) events.push(...part);
    else if ('type' in part) events.push(part);
    else ending = part;
  }
  const spoken = [
    ...events.filter((event) => !isCall(event) && saysSomething(event)),
    ...events.filter(isCall),
  ];
  return [
    ...spoken.filter((event) => !isCall(event)),
    ...spoken.filter(isCall).sort((a, b) => (a.choice ?? 0) - (b.choice ?? 0)),
    completedOf(spoken, ending),
  ];
}

type Spoken = OutputItemDoneEvent | FunctionCallArgumentsDeltaEvent;

const isEvents = (part: object): part is readonly Spoken[] => Array.isArray(part);

function saysSomething(event: Spoken): boolean {
  if (event.type === 'function_call_arguments_delta') return event.delta !== '';
  const { item } = event;
  if (item.type === 'reasoning') {
    return (
      (item.reasoning_details ?? []).length > 0 ||
      item.extras !== undefined ||
      item.content.some(({ text }) => text !== '')
    );
  }
  if (item.type !== 'message') return true;
  return item.content.some(
    (part) =>
      (part.type === 'output_text' && part.text !== '') || (part.type === 'refusal' && part.refusal !== ''),
  );
}

/** Choices in the order in which they first say something; choice 0 is always there. */
const choicesOf = (spoken: readonly Spoken[]): readonly number[] => [
  ...new Set([0, ...spoken.map(({ choice = 0 }) => choice)]),
];

function completedOf(spoken: readonly Spoken[], ending: CompletedOptions): CompletedEvent {
  const reasonOf = (choice: number) =>
    spoken.some((event) => (event.choice ?? 0) === choice && isCall(event)) ? 'tool_calls' : 'stop';
  const reasons = new Map<number, string | null>();
  for (const choice of choicesOf(spoken)) reasons.set(choice, reasonOf(choice));
  for (const { choice, finishReason } of ending.choices ?? []) {
    // A choice of which nothing came is not told of.
    if (finishReason !== null || reasons.has(choice)) reasons.set(choice, finishReason);
  }
  reasons.delete(0);
  return completedEvent({
    finishReason: reasonOf(0),
    ...ending,
    choices: [...reasons]
      .sort(([a], [b]) => a - b)
      .map(([choice, finishReason]) => ({ choice, finishReason })),
  });
}
