import type {
  ContentPart,
  FunctionCallArgumentsDeltaEvent,
  OutputItemDoneEvent,
  ResponseEvent,
} from '../turn/events.js';
import {
  type CallEvent,
  type EventOptions,
  isCall,
  testAnswer,
  type ToolCall,
  toolCallEvents,
} from './turn-events.js';
import {
  type ChunkOptions,
  deltaChunk,
  doneChunk,
  finishChunk,
  reasoningChunk,
  refusalChunk,
  roleChunk,
  textChunk,
  usageChunk,
} from './wire-chunks.js';

/**
 * What a provider sends for a turn: the text of an event stream that is decoded to these events again.
 *
 * A turn without `completed` is a stream that was cut. `retrying` and `chunk` events are no part of what
 * a provider says and are left out.
 *
 * @example
 * ```ts
 * const transport = scriptedTransport({ body: wireOf(turnOf('Hel', 'lo')) });
 * streamChatCompletions('Hi', { model: 'm', provider, transport }); // emits turnOf('Hel', 'lo')
 * ```
 *
 * @throws TypeError where the turn holds an item that no model writes, such as a user's message
 */
export function wireOf(turn: readonly ResponseEvent[]): string {
  return chunksOf(turn).join('');
}

/**
 * The same as `wireOf`, one chunk each, for a body of several reads: what is said, and before it the
 * chunk with the role, and after it those of the finish reasons, the usage, and the end.
 *
 * @example
 * ```ts
 * const transport = scriptedTransport({ body: zip(from(chunksOf(turn)), interval(50)).pipe(map(([text]) => text)) });
 * ```
 *
 * @throws TypeError where the turn holds an item that no model writes
 */
export function chunksOf(turn: readonly ResponseEvent[]): readonly string[] {
  const completed = turn.find((event) => event.type === 'completed');
  const answer =
    completed === undefined ? testAnswer : { id: completed.responseId, model: completed.model ?? '' };
  const calls = callWriter(turn, answer);
  const finished = new Set<number>();
  const finish = (choice: number, finishReason: string | null): readonly string[] => {
    if (finished.has(choice) || finishReason === null) return [];
    finished.add(choice);
    return [finishChunk(finishReason, { ...answer, choice })];
  };

  const chunks = [roleChunk(answer)];
  turn.forEach((event, place) => {
    const { choice = 0 }: EventOptions = 'choice' in event ? event : {};
    const options = { ...answer, choice };
    if (event.type === 'function_call_arguments_delta') chunks.push(...calls.delta(event));
    else if (isCall(event)) {
      chunks.push(...calls.whole(event));
      // A reader tells a choice's calls where it finishes.
      if (place === calls.lastOf(choice) && completed !== undefined) {
        const other = completed.choices?.find((candidate) => candidate.choice === choice);
        chunks.push(...finish(choice, choice === 0 ? completed.finishReason : (other?.finishReason ?? null)));
      }
    } else if (event.type === 'output_item_done') chunks.push(...itemChunks(event, options));
    else if (event.type === 'completed') {
      chunks.push(...finish(0, event.finishReason));
      for (const other of event.choices ?? []) chunks.push(...finish(other.choice, other.finishReason));
      if (event.usage !== null) chunks.push(usageChunk(event.usage, answer));
      if ((event.endedBy ?? 'done') === 'done') chunks.push(doneChunk());
    }
  });
  return chunks;
}

/**
 * The chunks of one choice's calls: of each, one with its id and name, then one for each piece of its
 * arguments.
 *
 * @example
 * ```ts
 * const body = [...toolCallChunks({ name: 'weather', arguments: ['{"city":', '"Bern"}'] }), finishChunk('tool_calls')];
 * ```
 *
 * @param calls - all calls of the choice, in order
 */
export function toolCallChunks(
  calls: ToolCall | readonly ToolCall[],
  options: ChunkOptions = {},
): readonly string[] {
  const events = toolCallEvents(calls, options);
  const writer = callWriter(events, options);
  return events.flatMap((event) =>
    isCall(event)
      ? writer.whole(event)
      : event.type === 'function_call_arguments_delta'
        ? writer.delta(event)
        : [],
  );
}

function itemChunks({ item }: OutputItemDoneEvent, options: ChunkOptions): readonly string[] {
  if (item.type === 'reasoning') {
    const text = item.content.map((part) => part.text).join('');
    return [reasoningChunk(text, { ...options, details: item.reasoning_details ?? [] })];
  }
  if (item.type !== 'message' || item.role !== 'assistant') {
    throw new TypeError(`No model writes an item of type ${item.type} of anyone but the assistant.`);
  }
  return item.content.map((part) => partChunk(part, options));
}

function partChunk(part: ContentPart, options: ChunkOptions): string {
  if (part.type === 'output_text') return textChunk(part.text, options);
  if (part.type === 'refusal') return refusalChunk(part.refusal, options);
  throw new TypeError(`No model writes a part of type ${part.type}.`);
}

type CallItem = CallEvent['item'];

/** Writes the calls of a turn, whose kind and order are known from its end alone. */
function callWriter(turn: readonly ResponseEvent[], answer: ChunkOptions) {
  const items = new Map<number, CallItem[]>();
  const last = new Map<number, number>();
  const pieces = new Set<string>();
  turn.forEach((event, place) => {
    if (event.type === 'function_call_arguments_delta') pieces.add(event.callId);
    if (!isCall(event)) return;
    const { choice = 0 } = event;
    items.set(choice, [...(items.get(choice) ?? []), event.item]);
    last.set(choice, place);
  });
  const begun = new Map<number, number>();

  const entryChunk = (choice: number, index: number, entry: object) =>
    deltaChunk({ tool_calls: [{ index, ...entry }] }, { ...answer, choice });

  const begin = (choice: number, index: number, item: CallItem) => {
    const { call_id: id, name } = item;
    const isTold = pieces.has(id);
    return entryChunk(
      choice,
      index,
      item.type === 'custom_tool_call'
        ? { id, type: 'custom', custom: { name, input: isTold ? '' : item.input } }
        : { id, type: 'function', function: { name, arguments: isTold ? '' : item.arguments } },
    );
  };

  /** Begins the calls of a choice up to one, in order: a reader numbers them as they begin. */
  function beginUpTo(choice: number, index: number, unknown?: CallItem): readonly string[] {
    const chunks: string[] = [];
    for (let next = begun.get(choice) ?? 0; next <= index; next += 1) {
      const item = items.get(choice)?.[next] ?? (next === index ? unknown : undefined);
      if (item !== undefined) chunks.push(begin(choice, next, item));
      begun.set(choice, next + 1);
    }
    return chunks;
  }

  return {
    lastOf: (choice: number) => last.get(choice),
    delta({ callId, name, index, delta, choice = 0 }: FunctionCallArgumentsDeltaEvent): readonly string[] {
      // A stream that was cut has no whole call.
      const cut: CallItem = { type: 'function_call', call_id: callId, name, arguments: '' };
      const isCustom = items.get(choice)?.[index]?.type === 'custom_tool_call';
      return [
        ...beginUpTo(choice, index, cut),
        entryChunk(
          choice,
          index,
          isCustom ? { type: 'custom', custom: { input: delta } } : { function: { arguments: delta } },
        ),
      ];
    },
    whole({ item, choice = 0 }: CallEvent): readonly string[] {
      return beginUpTo(choice, items.get(choice)?.indexOf(item) ?? -1);
    },
  };
}
