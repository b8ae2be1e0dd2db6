import type {
  ContentPart,
  FunctionCallArgumentsDeltaEvent,
  OutputItemDoneEvent,
  ResponseEvent,
} from '../turn/events.js';
import { type CallEvent, isCall } from '../turn/is-call.js';
import { isRecord } from '../turn/wire.js';
import { type EventOptions, testAnswer, type ToolCall, toolCallEvents } from './turn-events.js';
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
 * The event stream that a provider would send for a turn; it decodes to the same events.
 *
 * What a provider wants back (`extras`, `reasoning_details`) is decoded with the name of the provider that is
 * asked. A turn without `completed` is a stream that was cut. `retrying` and `chunk` events are no part of what
 * a provider says and are left out, and so is what came before `restarting`.
 *
 * @example
 * ```ts
 * const transport = scriptedTransport({ body: wireOf(turnOf('Hel', 'lo')) });
 * streamChatCompletions('Hi', { model: 'm', provider, transport }); // emits turnOf('Hel', 'lo')
 * ```
 *
 * @throws TypeError if the turn has an item that no model writes, such as a user message
 */
export function wireOf(turn: readonly ResponseEvent[]): string {
  return chunksOf(turn).join('');
}

/**
 * Like `wireOf`, but one string per chunk, for a body of several reads: the chunk with the role, the content,
 * the finish reasons, the usage, and the end mark.
 *
 * @example
 * ```ts
 * const transport = scriptedTransport({ body: zip(from(chunksOf(turn)), interval(50)).pipe(map(([text]) => text)) });
 * ```
 *
 * @throws TypeError if the turn has an item that no model writes
 */
export function chunksOf(events: readonly ResponseEvent[]): readonly string[] {
  const turn = valid(events);
  const completed = turn.find((event) => event.type === 'completed');
  const answer =
    completed === undefined ? testAnswer : { id: completed.responseId, model: completed.model ?? '' };
  const calls = callWriter(turn, answer);
  const finish = (choice: number, finishReason: string | null): readonly string[] =>
    finishReason === null ? [] : [finishChunk(finishReason, { ...answer, choice })];

  const chunks = [roleChunk(answer)];
  for (const event of turn) {
    const { choice = 0 }: EventOptions = 'choice' in event ? event : {};
    const options = { ...answer, choice };
    if (event.type === 'function_call_arguments_delta') chunks.push(...calls.delta(event));
    else if (isCall(event)) chunks.push(...calls.whole(event));
    else if (event.type === 'output_item_done') chunks.push(...itemChunks(event, options));
    else if (event.type === 'completed') {
      chunks.push(...finish(0, event.finishReason));
      for (const other of event.choices ?? []) chunks.push(...finish(other.choice, other.finishReason));
      if (event.usage !== null) chunks.push(usageChunk(event.usage, answer));
      if ((event.endedBy ?? 'done') === 'done') chunks.push(doneChunk());
    }
  }
  return chunks;
}

/** The events that no `restarting` takes back. */
function valid(events: readonly ResponseEvent[]): readonly ResponseEvent[] {
  const kept: ResponseEvent[] = [];
  let begin = 0;
  for (const event of events) {
    if (event.type === 'restarting') kept.length = begin;
    else kept.push(event);
    if (event.type === 'completed') begin = kept.length;
  }
  return kept;
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
    return [
      reasoningChunk(text, { ...options, details: item.reasoning_details ?? [], extras: item.extras ?? {} }),
    ];
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
  /** Of each choice, in the order of their items, which is that of their index. */
  const items = new Map<number, CallItem[]>();
  const pieces = new Set<string>();
  /** Of each choice, in the order in which they begin. */
  const order = new Map<number, CallItem[]>();
  for (const event of turn) {
    if (event.type === 'function_call_arguments_delta') pieces.add(event.callId);
    if (isCall(event)) listAt(items, event.choice).push(event.item);
  }
  for (const event of turn) {
    if (event.type !== 'function_call_arguments_delta') continue;
    const item = items.get(event.choice ?? 0)?.find(({ call_id }) => call_id === event.callId);
    if (item !== undefined) listAt(order, event.choice)[event.index] = item;
  }
  for (const [choice, all] of items) {
    const begun = listAt(order, choice);
    for (const item of all) if (!begun.includes(item)) begun[freePlace(begun)] = item;
  }
  const begun = new Map<number, number>();

  const entryChunk = (choice: number, index: number, entry: object) =>
    deltaChunk({ tool_calls: [{ index, ...entry }] }, { ...answer, choice });

  const indexOf = (choice: number, item: CallItem | undefined, place: number) => {
    const index = item === undefined ? -1 : (items.get(choice)?.indexOf(item) ?? -1);
    return index === -1 ? place : index;
  };

  const begin = (choice: number, index: number, item: CallItem) => {
    const { call_id: id, name, extras = {} } = item;
    const { function: ofFunction, custom: ofCustom, ...said } = extras;
    const inner = item.type === 'custom_tool_call' ? ofCustom : ofFunction;
    const beside = isRecord(inner) ? inner : {};
    const isTold = pieces.has(id);
    return entryChunk(
      choice,
      index,
      item.type === 'custom_tool_call'
        ? { ...said, id, type: 'custom', custom: { ...beside, name, input: isTold ? '' : item.input } }
        : {
            ...said,
            id,
            type: 'function',
            function: { ...beside, name, arguments: isTold ? '' : item.arguments },
          },
    );
  };

  /** Begins the calls of a choice up to one, in order: a reader numbers them as they begin. */
  function beginUpTo(choice: number, place: number, unknown?: CallItem): readonly string[] {
    const chunks: string[] = [];
    for (let next = begun.get(choice) ?? 0; next <= place; next += 1) {
      const item = order.get(choice)?.[next] ?? (next === place ? unknown : undefined);
      if (item !== undefined) chunks.push(begin(choice, indexOf(choice, item, next), item));
      begun.set(choice, next + 1);
    }
    return chunks;
  }

  return {
    delta({ callId, name, index, delta, choice = 0 }: FunctionCallArgumentsDeltaEvent): readonly string[] {
      // A stream that was cut has no whole call.
      const cut: CallItem = { type: 'function_call', call_id: callId, name, arguments: '' };
      const item = order.get(choice)?.[index];
      return [
        ...beginUpTo(choice, index, cut),
        entryChunk(
          choice,
          indexOf(choice, item, index),
          item?.type === 'custom_tool_call'
            ? { type: 'custom', custom: { input: delta } }
            : { function: { arguments: delta } },
        ),
      ];
    },
    whole({ item, choice = 0 }: CallEvent): readonly string[] {
      return beginUpTo(choice, order.get(choice)?.indexOf(item) ?? -1);
    },
  };
}

function listAt(lists: Map<number, CallItem[]>, choice = 0): CallItem[] {
  const list = lists.get(choice) ?? [];
  lists.set(choice, list);
  return list;
}

/** The first place of a list that holds nothing. */
function freePlace(list: readonly (CallItem | undefined)[]): number {
  const place = Array.from(list).indexOf(undefined);
  return place === -1 ? list.length : place;
}
