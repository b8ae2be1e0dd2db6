import type { ResponseEvent, ResponseItem, TokenUsage } from '../../src/index.js';
import type { Expected, ExpectedToolCall, WireUsage } from '../support/corpus.js';

export interface FoldedChoice {
  content: string;
  reasoning: string;
  refusal: string;
  tool_calls: ExpectedToolCall[];
  finish_reason: string | null;
}

/** A turn's events, folded to what a recording's `expected` says; `choices` by their index. */
export interface Folded extends FoldedChoice {
  id: string | null;
  model: string | null;
  usage: TokenUsage | null;
  choices: FoldedChoice[];
}

const emptyChoice = (): FoldedChoice => ({
  content: '',
  reasoning: '',
  refusal: '',
  tool_calls: [],
  finish_reason: null,
});

/** The one place that knows which item, and which part of it, is which field of `expected`. */
function addItem(choice: FoldedChoice, item: ResponseItem): void {
  switch (item.type) {
    case 'message':
      for (const part of item.content) {
        if (part.type === 'output_text') choice.content += part.text;
        if (part.type === 'refusal') choice.refusal += part.refusal;
      }
      break;
    case 'reasoning':
      for (const part of item.content) choice.reasoning += part.text;
      break;
    case 'function_call':
      choice.tool_calls.push({
        index: choice.tool_calls.length,
        id: item.call_id,
        name: item.name,
        arguments: item.arguments,
      });
  }
}

/** Folds the events of a turn: its items. */
export function foldExpected(events: readonly ResponseEvent[]): Folded {
  const choices: FoldedChoice[] = [emptyChoice()];
  const choiceAt = (index = 0) => (choices[index] ??= emptyChoice());
  const end: Pick<Folded, 'id' | 'model' | 'usage'> = { id: null, model: null, usage: null };
  for (const event of events) {
    if (event.type === 'output_item_done') addItem(choiceAt(event.choice), event.item);
    else if (event.type === 'completed') {
      choiceAt().finish_reason = event.finishReason;
      for (const { choice, finishReason } of event.choices ?? [])
        choiceAt(choice).finish_reason = finishReason;
      end.id = event.responseId === '' ? null : event.responseId;
      end.model = event.model ?? null;
      end.usage = event.usage;
    }
  }
  return { ...choiceAt(), ...end, choices };
}

const figure = (record: unknown, ...keys: readonly string[]): number => {
  let value: unknown = record;
  for (const key of keys) value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : 0;
  return typeof value === 'number' ? value : 0;
};

/** The usage that a provider's own figures stand for, read independently of the library. */
function expectedUsage(usage: WireUsage | null): TokenUsage | null {
  if (usage === null) return null;
  return {
    inputTokens: figure(usage, 'prompt_tokens'),
    cachedInputTokens:
      figure(usage, 'prompt_tokens_details', 'cached_tokens') || figure(usage, 'prompt_cache_hit_tokens'),
    outputTokens: figure(usage, 'completion_tokens'),
    reasoningOutputTokens:
      figure(usage, 'completion_tokens_details', 'reasoning_tokens') || figure(usage, 'reasoning_tokens'),
    totalTokens: figure(usage, 'total_tokens'),
  };
}

/** The calls of a choice with all that their deltas said, those too that were cut. */
export function foldDeltas(events: readonly ResponseEvent[]): readonly ExpectedToolCall[] {
  const calls: ExpectedToolCall[] = [];
  for (const event of events) {
    if (event.type !== 'function_call_arguments_delta' || event.choice !== undefined) continue;
    const call = calls[event.index];
    const before = call?.arguments ?? '';
    const { callId: id, name, index, delta } = event;
    calls[index] = { index, id, name, arguments: before + delta };
  }
  return calls;
}

const isObject = (json: string): boolean => {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
};

/** What was cut is no item: a call that the token limit cut is told in deltas alone. */
export function withoutCutCalls<T extends FoldedChoice>(choice: T): T {
  if (choice.finish_reason === 'stop' || choice.finish_reason === 'tool_calls') return choice;
  return { ...choice, tool_calls: choice.tool_calls.filter((call) => isObject(call.arguments)) };
}

/**
 * A recording's `expected`, as far as the events of a turn can say it. A last event counts although no blank line has
 * ended it, where it is whole.
 */
export function expectedFold(expected: Expected): Folded {
  const { choices, content, reasoning, refusal, tool_calls, finish_reason, id, model, usage } = expected;
  const toolCalls = (calls: readonly ExpectedToolCall[]): ExpectedToolCall[] =>
    calls.map((call, index) => ({ index, id: call.id, name: call.name ?? '', arguments: call.arguments }));
  return {
    content,
    reasoning,
    refusal,
    tool_calls: toolCalls(tool_calls),
    finish_reason,
    id,
    model,
    usage: expectedUsage(usage),
    choices:
      choices.length === 0
        ? [emptyChoice()]
        : choices.map((choice) => ({
            content: choice.content,
            reasoning: choice.reasoning,
            refusal: choice.refusal,
            tool_calls: toolCalls(choice.tool_calls),
            finish_reason: choice.finish_reason,
          })),
  };
}
