import { type Extras, joinExtras } from '../turn/extras.js';
import type {
  ContentPart,
  FunctionCallItem,
  ProviderFields,
  ReasoningItem,
  ResponseItem,
  ToolCallItem,
  ToolOutput,
} from '../turn/events.js';
import { isRecord, own, parseJson } from '../turn/wire.js';
import { type CallIdFormat, callIdWriter } from './call-id-format.js';
import type { EasyMessage, InputItem } from './prompt.js';
import { partJson } from './request-json.js';

/** A message in the format of Chat Completions. */
export type ChatMessage = Readonly<Record<string, unknown>> & { readonly role: string };

/**
 * The message field in which a provider expects the assistant's earlier reasoning. `reasoning_content` is set
 * on every assistant message, if need be to an empty string, because DeepSeek and Kimi reject a conversation
 * with gaps; the others only on messages with reasoning.
 */
export type ReasoningField = 'reasoning_content' | 'reasoning' | 'reasoning_text' | 'reasoning_details';

/**
 * The content of an assistant message with calls and no text: `null`, as in the OpenAI reference; an empty
 * string; or no `content` field.
 */
export type ToolCallContent = 'null' | 'empty' | 'omit';

/** A provider's message format. */
export interface MessageFormat {
  /**
   * The name of the provider: provider-specific fields from other providers are left out. Default: none are.
   */
  readonly name?: string | undefined;
  readonly sendReasoning?: ReasoningField | false | undefined;
  /** Default `'null'`. */
  readonly toolCallContent?: ToolCallContent | undefined;
  /** Default: ids are sent unchanged. */
  readonly callIdFormat?: CallIdFormat | undefined;
}

/**
 * Converts the items of a prompt to Chat Completions messages.
 *
 * - A message's text parts are joined without a separator; with images, audio or files among them, the
 *   content is an array of parts.
 * - Calls become the `tool_calls` of one assistant message, together with the assistant's text before
 *   them; their outputs become `tool` messages.
 * - Of an output in parts, the text becomes the `tool` message, in which the OpenAI reference allows only text.
 *   The images and files of consecutive outputs become one user message after the last of them, each labelled
 *   with its call.
 * - The text of reasoning is omitted, unless `sendReasoning` names the field in which the provider expects it.
 * - Provider-specific fields of an item (`extras`, `reasoning_details`) are sent back in their place if the
 *   item's `provider` is this one, or is absent; no other provider understands them. `thinking_blocks` that
 *   were cut off before their signature are left out. `reasoning_details` without a `provider` are sent only if
 *   `sendReasoning` asks for them.
 * - Arguments that are not a JSON object (missing, cut off by a token limit, a string, an array) are sent as
 *   `{}`. Providers that parse them would otherwise reject the whole conversation from then on.
 * - An empty assistant message is omitted, since providers reject it, and so is one that repeats the previous
 *   message, as when an application appends twice. Of two calls with the same id the later wins.
 *
 * @throws TypeError for an invalid item, naming its index but none of its content
 * @throws InvalidRequestError for an output or arguments that `JSON.stringify` rejects
 */
export function chatMessages(
  items: readonly InputItem[],
  format: MessageFormat = {},
): readonly ChatMessage[] {
  const messages: ChatMessage[] = [];
  const writeId = callIdWriter(format.callIdFormat);
  /** The tool of each call. */
  const names = new Map<string, string>();
  let assistant = emptyAssistant();
  /**
   * Images and files of outputs, held until the last output: nothing may come between calls and their outputs.
   */
  let media: object[] = [];

  /** Adds a message that is not an output. */
  const push = (message: ChatMessage) => {
    if (media.length > 0) messages.push({ role: 'user', content: media });
    media = [];
    messages.push(message);
  };

  /** Whether an item's provider-specific fields are for this provider. */
  const isOwn = ({ provider }: ProviderFields) => provider === undefined || provider === format.name;

  const flush = () => {
    const message = assistantMessageOf(assistant, format, writeId);
    assistant = emptyAssistant();
    if (message !== undefined && !repeats(message, messages.at(-1))) push(message);
  };

  for (const [index, raw] of items.entries()) {
    const item = itemOf(raw, index);
    switch (item.type) {
      case 'message': {
        if (item.role !== 'assistant') {
          flush();
          push({ role: item.role, content: inputContent(item.content) });
          break;
        }
        // Two messages are not merged, but nothing may come between calls and their outputs.
        if (assistant.hasMessage && assistant.calls.size === 0) flush();
        const text = item.content.map(textOf).join('');
        if (assistant.calls.size > 0 && text === assistant.text) break;
        assistant.hasMessage = true;
        assistant.text += text;
        for (const part of item.content) if (part.type === 'refusal') assistant.refusal += part.refusal;
        break;
      }
      case 'reasoning': {
        // Reasoning precedes the message it led to.
        if (assistant.hasMessage && assistant.calls.size === 0) flush();
        const reasoning = reasoningTextOf(item);
        if (assistant.calls.size > 0 && reasoning === assistant.reasoning) break;
        assistant.reasoning += reasoning;
        if (!isOwn(item)) break;
        assistant.extras = joinExtras(assistant.extras, item.extras);
        if (format.sendReasoning === 'reasoning_details' || item.provider !== undefined)
          for (const detail of item.reasoning_details ?? []) assistant.details.push(detail);
        break;
      }
      case 'function_call':
      case 'custom_tool_call':
        names.set(item.call_id, item.name);
        assistant.calls.set(item.call_id, isOwn(item) ? item : { ...item, extras: {} });
        break;
      case 'function_call_output':
      case 'custom_tool_call_output': {
        flush();
        const id = writeId(item.call_id);
        messages.push({ role: 'tool', tool_call_id: id, content: outputText(item.output) });
        const attached = outputMedia(item.output);
        if (attached.length === 0) break;
        const introduction = `Output of ${names.get(item.call_id) ?? 'the call'} (${id}):`;
        for (const part of [...textPart(introduction), ...attached]) media.push(part);
        break;
      }
      default:
        // Chat Completions has no such item.
        break;
    }
  }
  flush();
  if (media.length > 0) messages.push({ role: 'user', content: media });
  return messages;
}

/** An item in its full form: a message may omit its type, and its content may be a string. */
export function itemOf(raw: InputItem, index: number): ResponseItem {
  const { type = 'message', role, content } = (raw ?? {}) as EasyMessage;
  if (type !== 'message') return raw as ResponseItem;
  if (typeof role !== 'string' || (typeof content !== 'string' && !Array.isArray(content))) {
    throw new TypeError(`prompt.input[${index}] is not a valid item: a message needs a role and content.`);
  }
  const parts: readonly ContentPart[] =
    typeof content === 'string' ? [{ type: 'input_text', text: content }] : content;
  return { type, role, content: parts };
}

/** OpenAI's own items may have a summary and no content. */
function reasoningTextOf({ content }: { readonly content?: ReasoningItem['content'] }): string {
  return (content ?? []).map(({ text }) => text).join('');
}

/** The assistant message being assembled. */
interface Assistant {
  hasMessage: boolean;
  text: string;
  refusal: string;
  reasoning: string;
  readonly details: unknown[];
  extras: Extras;
  readonly calls: Map<string, ToolCallItem>;
}

const emptyAssistant = (): Assistant => ({
  hasMessage: false,
  text: '',
  refusal: '',
  reasoning: '',
  details: [],
  extras: {},
  calls: new Map(),
});

function assistantMessageOf(
  assistant: Assistant,
  format: MessageFormat,
  writeId: (id: string) => string,
): ChatMessage | undefined {
  const { text, refusal, calls } = assistant;
  if (text === '' && refusal === '' && calls.size === 0) return undefined;
  return {
    ...reasoningOf(assistant, format),
    role: 'assistant',
    ...contentOf(assistant, format),
    ...(refusal !== '' && { refusal }),
    ...(calls.size > 0 && { tool_calls: [...calls.values()].map((call) => toolCall(call, writeId)) }),
  };
}

function contentOf({ text, calls }: Assistant, { toolCallContent = 'null' }: MessageFormat): object {
  if (text !== '') return { content: text };
  if (calls.size === 0 || toolCallContent === 'null') return { content: null };
  return toolCallContent === 'empty' ? { content: '' } : {};
}

function reasoningOf({ reasoning, details, extras }: Assistant, { sendReasoning }: MessageFormat): object {
  if (sendReasoning === false) return {};
  const isText = sendReasoning !== undefined && sendReasoning !== 'reasoning_details';
  return {
    ...withoutUnsigned(extras),
    ...(isText &&
      (reasoning !== '' || sendReasoning === 'reasoning_content') && { [sendReasoning]: reasoning }),
    ...(!isText && details.length > 0 && { reasoning_details: details }),
  };
}

/** Anthropic rejects a thinking block without its signature; LiteLLM leaves it out as well. */
function withoutUnsigned(extras: Extras): Extras {
  const blocks = own(extras, 'thinking_blocks');
  if (!Array.isArray(blocks)) return extras;
  const signed = blocks.filter(
    (block) => !isRecord(block) || own(block, 'type') !== 'thinking' || Boolean(own(block, 'signature')),
  );
  const { thinking_blocks: _all, ...others } = extras;
  return signed.length === 0 ? others : { ...others, thinking_blocks: signed };
}

/** Provider-specific fields go back to their place, but never overwrite the call's own. */
function toolCall(call: ToolCallItem, writeId: (id: string) => string): object {
  const { function: ofFunction, custom: ofCustom, ...extras } = call.extras ?? {};
  const id = writeId(call.call_id);
  return call.type === 'function_call'
    ? {
        ...extras,
        id,
        type: 'function',
        function: { ...fieldsOf(ofFunction), name: call.name, arguments: argumentsOf(call) },
      }
    : {
        ...extras,
        id,
        type: 'custom',
        custom: { ...fieldsOf(ofCustom), name: call.name, input: textOrJson(call.input) },
      };
}

const fieldsOf = (value: unknown): object => (isRecord(value) ? value : {});

function argumentsOf(call: FunctionCallItem): string {
  const text = textOrJson(call.arguments);
  return isRecord(parseJson(text, Infinity)) ? text : '{}';
}

function repeats(message: ChatMessage, previous: ChatMessage | undefined): boolean {
  return (
    previous?.role === 'assistant' &&
    message['tool_calls'] === undefined &&
    partJson(message, 'messages') === partJson(previous, 'messages')
  );
}

function textOf(part: ContentPart): string {
  return part.type === 'input_text' || part.type === 'output_text' ? part.text : '';
}

function inputContent(parts: readonly ContentPart[]): unknown {
  if (!parts.some(isMedia)) return parts.map(textOf).join('');
  return parts.flatMap((part) => (isMedia(part) ? mediaPart(part) : textPart(textOf(part))));
}

const textPart = (text: string): readonly object[] => (text === '' ? [] : [{ type: 'text', text }]);

type MediaPart = Exclude<ContentPart, { readonly type: 'input_text' | 'output_text' | 'refusal' }>;

const isMedia = (part: ContentPart): part is MediaPart =>
  !['input_text', 'output_text', 'refusal'].includes(part.type);

/** Unknown parts may be in the provider's own format, and pass unchanged. */
function mediaPart(part: MediaPart): object {
  switch (part.type) {
    case 'input_image': {
      const { image_url: url, detail } = part;
      return { type: 'image_url', image_url: { url, ...(detail !== undefined && { detail }) } };
    }
    case 'input_file': {
      const { type: _type, ...file } = part;
      return { type: 'file', file };
    }
    default:
      return part;
  }
}

/** The text of a `tool` message whose output is in the user message that follows. */
const isAttached = 'The output is attached in the next user message.';

/** JavaScript callers may pass an array of anything, which is then a value. */
const isParts = (output: ToolOutput): output is Exclude<ToolOutput, string> =>
  Array.isArray(output) && output.length > 0 && output.every((part) => isRecord(part) && isOutputPart(part));

const isOutputPart = ({ type }: { readonly type?: unknown }): boolean =>
  type === 'input_text' || type === 'input_image' || type === 'input_file';

function outputText(output: ToolOutput): string {
  if (!isParts(output)) return textOrJson(output);
  const text = output.map(textOf).join('');
  return text === '' && output.some(isMedia) ? isAttached : text;
}

const outputMedia = (output: ToolOutput): readonly object[] =>
  isParts(output) ? output.flatMap((part) => (isMedia(part) ? [mediaPart(part)] : [])) : [];

/** JavaScript callers may pass a tool's output as a value. */
function textOrJson(value: unknown): string {
  return typeof value === 'string' ? value : (partJson(value, 'messages') as string);
}
