import type {
  FunctionCallArgumentsDeltaEvent,
  MessageItem,
  OutputItemDoneEvent,
  OutputText,
  ReasoningItem,
  ResponseEvent,
  ResponseItem,
  TokenUsage,
  ToolCallItem,
} from './events.js';
import { type Extras, joinExtras } from './extras.js';
import { joinDetails } from './reasoning-details.js';

/**
 * Where a turn stands:
 * - `'waiting'`: nothing of the answer has come yet
 * - `'retrying'`: a request failed and the next one is being waited for (only with `includeRetries`)
 * - `'restarting'`: the answer broke off, what has arrived is void, and it is requested again
 * - `'streaming'`: a part of the answer has come
 * - `'completed'`: the turn is over
 * - `'stopped'`: the turn is over because the caller stopped it (only with `stopWhen()`)
 */
export type TurnStatus = 'waiting' | 'retrying' | 'restarting' | 'streaming' | 'completed' | 'stopped';

/** A call so far. */
export interface TurnToolCall {
  readonly callId: string;
  readonly name: string;
  /** The arguments so far, or a custom tool's input. */
  readonly arguments: string;
  /** The whole call; `undefined` while it is being written, and for good where it was cut. */
  readonly item: ToolCallItem | undefined;
}

/** What one choice of an answer says so far. */
export interface TurnAnswer {
  /** The assistant's text. */
  readonly text: string;
  readonly reasoning: string;
  /** The provider's own account of the reasoning, where it sends one. */
  readonly reasoningDetails: readonly unknown[];
  /** What else the provider said beside the reasoning and wants back, such as signatures. */
  readonly reasoningExtras?: Extras;
  /** The name of the provider that said `reasoningDetails` and `reasoningExtras`. */
  readonly reasoningProvider?: string;
  readonly refusal: string;
  /** Whole calls in the order in which they were given, before those that are being written, as they began. */
  readonly toolCalls: readonly TurnToolCall[];
  readonly finishReason: string | null;
}

/** What a further choice says so far, where a request asked for several. */
export interface TurnChoice extends TurnAnswer {
  /** 1 or more. */
  readonly choice: number;
}

/** A turn so far: an immutable snapshot, one for each event. Its answer is choice 0's. */
export interface Turn extends TurnAnswer {
  readonly status: TurnStatus;
  /** `''` until the turn is completed, and where the stream held none. */
  readonly responseId: string;
  readonly model: string | undefined;
  readonly usage: TokenUsage | null;
  /** The further choices, by their number; empty as a rule. */
  readonly choices: readonly TurnChoice[];
}

const emptyAnswer: TurnAnswer = {
  text: '',
  reasoning: '',
  reasoningDetails: [],
  refusal: '',
  toolCalls: [],
  finishReason: null,
};

/** A turn of which nothing has come yet. */
export const emptyTurn: Turn = /* @__PURE__ */ (() =>
  Object.freeze({
    ...emptyAnswer,
    status: 'waiting',
    responseId: '',
    model: undefined,
    usage: null,
    choices: [],
  } as const))();

/** What is left of a turn that begins anew. */
const restartingTurn: Turn = /* @__PURE__ */ (() => Object.freeze({ ...emptyTurn, status: 'restarting' }))();

/**
 * The one fold: what a turn is after one more event. `accumulate()` and `aggregate()` stand on it, and a
 * store (NgRx, Redux) can use it as its reducer.
 *
 * The event after `completed`, a stopped one too, starts a new turn, and `restarting` begins the turn anew. A fold over n deltas costs O(n): the growing
 * text is never read here, and until somebody reads it, engines keep it as a tree of its parts.
 *
 * @example
 * ```ts
 * const turn = events.reduce(reduceTurn, emptyTurn);
 * console.log(turn.status, turn.text);
 * ```
 */
export function reduceTurn(turn: Turn, event: ResponseEvent): Turn {
  const base = turn.status === 'completed' || turn.status === 'stopped' ? emptyTurn : turn;
  switch (event.type) {
    case 'output_item_done':
      if (isPlainText(event)) return withText(base, event.item.content[0].text);
      if (event.item.type === 'reasoning' && (event.choice ?? 0) === 0)
        return withReasoning(base, event.item);
      return withAnswer(base, event.choice, (answer) => withItem(answer, event.item));
    case 'function_call_arguments_delta':
      return withAnswer(base, event.choice, (answer) => withArguments(answer, event));
    case 'completed': {
      const { responseId, model, finishReason, usage, choices = [] } = event;
      return {
        ...base,
        status: event.stopped === true ? 'stopped' : 'completed',
        responseId,
        model,
        finishReason,
        usage,
        // A choice may end without a word.
        choices: choices.reduce(
          (answers, other) =>
            withChoice(answers, other.choice, (answer) => ({ ...answer, finishReason: other.finishReason })),
          base.choices,
        ),
      };
    }
    case 'retrying':
      return { ...base, status: 'retrying' };
    case 'restarting':
      return restartingTurn;
    default:
      return base;
  }
}

/** An event that says one piece of choice 0's text and nothing else, as nearly every one does. */
type PlainTextEvent = OutputItemDoneEvent & {
  readonly item: { readonly content: readonly [OutputText] };
};

function isPlainText(event: ResponseEvent): event is PlainTextEvent {
  if (event.type !== 'output_item_done' || event.choice !== undefined) return false;
  const { item } = event;
  return (
    item.type === 'message' &&
    item.role === 'assistant' &&
    item.content.length === 1 &&
    item.content[0]?.type === 'output_text'
  );
}

function withText(turn: Turn, text: string): Turn {
  return grown(turn, turn.text + text, turn.reasoning, turn.reasoningDetails);
}

function withReasoning(turn: Turn, item: ReasoningItem): Turn {
  const thought = turn.reasoning + reasoningText(item);
  return withExtras(grown(turn, turn.text, thought, detailsWith(turn, item)), item);
}

/** Written out: a literal costs a tenth of what copying by spread does. */
function grown(
  turn: Turn,
  text: string,
  reasoning: string,
  reasoningDetails: TurnAnswer['reasoningDetails'],
): Turn {
  const { reasoningExtras, reasoningProvider } = turn;
  const after: Turn = {
    text,
    reasoning,
    reasoningDetails,
    refusal: turn.refusal,
    toolCalls: turn.toolCalls,
    finishReason: turn.finishReason,
    status: 'streaming',
    responseId: turn.responseId,
    model: turn.model,
    usage: turn.usage,
    choices: turn.choices,
  };
  if (reasoningExtras === undefined && reasoningProvider === undefined) return after;
  return withExtras(after, { extras: reasoningExtras, provider: reasoningProvider });
}

/** As a rule there are none, and a snapshot has no fields for them. */
function withExtras<T extends TurnAnswer>(answer: T, said: Said): T {
  const { extras, provider } = said;
  if (extras === undefined && provider === undefined) return answer;
  return {
    ...answer,
    ...(extras !== undefined && { reasoningExtras: joinExtras(answer.reasoningExtras, extras) }),
    ...(provider !== undefined && { reasoningProvider: provider }),
  };
}

interface Said {
  readonly extras?: Extras | undefined;
  readonly provider?: string | undefined;
}

/** What an event makes of the choice that it belongs to. */
type Change = <T extends TurnAnswer>(answer: T) => T;

function withAnswer(turn: Turn, choice: number | undefined, change: Change): Turn {
  const streaming: Turn = turn.status === 'streaming' ? turn : { ...turn, status: 'streaming' };
  if (choice === undefined || choice === 0) return change(streaming);
  return { ...streaming, choices: withChoice(turn.choices, choice, change) };
}

/** The further choices, one of them changed, in the order of their numbers. */
function withChoice(choices: readonly TurnChoice[], choice: number, change: Change): readonly TurnChoice[] {
  const before = choices.find((other) => other.choice === choice);
  const after = change(before ?? { ...emptyAnswer, choice });
  return [...choices.filter((other) => other !== before), after].sort((a, b) => a.choice - b.choice);
}

function withItem<T extends TurnAnswer>(answer: T, item: ResponseItem): T {
  switch (item.type) {
    case 'message': {
      if (item.role !== 'assistant') return answer;
      const text = answer.text + assistantText(item);
      return { ...answer, text, refusal: answer.refusal + refusalOf(item) };
    }
    case 'reasoning': {
      const reasoning = answer.reasoning + reasoningText(item);
      return withExtras({ ...answer, reasoning, reasoningDetails: detailsWith(answer, item) }, item);
    }
    case 'function_call':
    case 'custom_tool_call': {
      const text = item.type === 'function_call' ? item.arguments : item.input;
      return withCall(answer, { callId: item.call_id, name: item.name, arguments: text, item });
    }
    default:
      return answer;
  }
}

function withArguments<T extends TurnAnswer>(answer: T, event: FunctionCallArgumentsDeltaEvent): T {
  const { callId, name, delta } = event;
  const before = answer.toolCalls.find((call) => call.callId === callId);
  return withCall(answer, { callId, name, arguments: (before?.arguments ?? '') + delta, item: undefined });
}

function withCall<T extends TurnAnswer>(answer: T, call: TurnToolCall): T {
  const toolCalls = [...answer.toolCalls];
  const place = toolCalls.findIndex(({ callId }) => callId === call.callId);
  if (place === -1) toolCalls.push(call);
  else toolCalls[place] = call;
  // A call that becomes whole goes before those that are being written: calls are told in their order.
  const open = call.item === undefined ? -1 : toolCalls.findIndex(({ item }) => item === undefined);
  const last = place === -1 ? toolCalls.length - 1 : place;
  if (open !== -1 && open < last) toolCalls.splice(open, 0, ...toolCalls.splice(last, 1));
  return { ...answer, toolCalls };
}

/** The text that one assistant item carries: its first text part. */
function assistantText({ content }: MessageItem): string {
  return content.find((part) => part.type === 'output_text')?.text ?? '';
}

function refusalOf({ content }: MessageItem): string {
  return content.find((part) => part.type === 'refusal')?.refusal ?? '';
}

function reasoningText({ content }: ReasoningItem): string {
  let all = '';
  for (const { text } of content) all += text;
  return all;
}

const detailsWith = (
  { reasoningDetails }: TurnAnswer,
  { reasoning_details: added = [] }: ReasoningItem,
): readonly unknown[] => (added.length === 0 ? reasoningDetails : joinDetails(reasoningDetails, added));
