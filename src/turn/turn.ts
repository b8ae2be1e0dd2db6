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
 * The status of a turn:
 * - `'waiting'`: no output has arrived yet
 * - `'retrying'`: a request failed and will be retried (only with `includeRetries`)
 * - `'restarting'`: the response broke off; its output is discarded, and it is requested again
 * - `'streaming'`: output is arriving
 * - `'completed'`: the turn is over
 * - `'stopped'`: the turn is over because the caller stopped it (only with `stopWhen()`)
 */
export type TurnStatus = 'waiting' | 'retrying' | 'restarting' | 'streaming' | 'completed' | 'stopped';

/** A call so far, complete or not. */
export interface TurnToolCall {
  readonly callId: string;
  readonly name: string;
  /** The arguments so far, or a custom tool's input. */
  readonly arguments: string;
  /** The complete call; `undefined` while the model writes it, and for good if it was cut off. */
  readonly item: ToolCallItem | undefined;
}

/** The output of one choice so far. */
export interface TurnAnswer {
  /** The assistant's text. */
  readonly text: string;
  readonly reasoning: string;
  /** The provider's structured reasoning, if it sends any. */
  readonly reasoningDetails: readonly unknown[];
  /** Other fields of the message that must be sent back, such as signatures. */
  readonly reasoningExtras?: Extras;
  /** The name of the provider that sent `reasoningDetails` and `reasoningExtras`. */
  readonly reasoningProvider?: string;
  readonly refusal: string;
  /** Complete calls in their order, followed by those still being written, in the order in which they began. */
  readonly toolCalls: readonly TurnToolCall[];
  readonly finishReason: string | null;
}

/** Another choice so far, if the request asked for several. */
export interface TurnChoice extends TurnAnswer {
  /** 1 or more. */
  readonly choice: number;
}

/** A turn so far: an immutable snapshot, one for each event. Its own fields are choice 0's. */
export interface Turn extends TurnAnswer {
  readonly status: TurnStatus;
  /** `''` until the turn is completed, or if the stream had none. */
  readonly responseId: string;
  readonly model: string | undefined;
  readonly usage: TokenUsage | null;
  /** The other choices, in order; usually empty. */
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

/** A turn before its first event. */
export const emptyTurn: Turn = /* @__PURE__ */ (() =>
  Object.freeze({
    ...emptyAnswer,
    status: 'waiting',
    responseId: '',
    model: undefined,
    usage: null,
    choices: [],
  } as const))();

/** A turn that starts over. */
const restartingTurn: Turn = /* @__PURE__ */ (() => Object.freeze({ ...emptyTurn, status: 'restarting' }))();

/**
 * Returns the turn after one more event. `accumulate()` and `aggregate()` are built on it, and a store (NgRx,
 * Redux) can use it as a reducer.
 *
 * The event after `completed`, stopped or not, starts a new turn, and `restarting` starts the turn over.
 * Folding n deltas costs O(n): the growing text is never read here, and until it is read, engines keep it as a
 * tree of its parts.
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
        // A choice may end without any output.
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

/** An event with one piece of choice 0's text and nothing else, as nearly all are. */
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

/** Written out: a literal costs a tenth of a spread. */
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

/** Usually there are none, and then a snapshot has no fields for them. */
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

/** How an event changes its choice. */
type Change = <T extends TurnAnswer>(answer: T) => T;

function withAnswer(turn: Turn, choice: number | undefined, change: Change): Turn {
  const streaming: Turn = turn.status === 'streaming' ? turn : { ...turn, status: 'streaming' };
  if (choice === undefined || choice === 0) return change(streaming);
  return { ...streaming, choices: withChoice(turn.choices, choice, change) };
}

/** The other choices with one changed, in order. */
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
  // A call that becomes complete goes before those still being written: calls complete in order.
  const open = call.item === undefined ? -1 : toolCalls.findIndex(({ item }) => item === undefined);
  const last = place === -1 ? toolCalls.length - 1 : place;
  if (open !== -1 && open < last) toolCalls.splice(open, 0, ...toolCalls.splice(last, 1));
  return { ...answer, toolCalls };
}

/** The text of an assistant item: its first text part. */
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
