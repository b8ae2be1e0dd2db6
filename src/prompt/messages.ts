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
 * The message field in which a provider expects the assistant's earlier reasoning. In `reasoning_content`
 * each message of the assistant has it, an empty one where it had none, since DeepSeek and Kimi refuse a
 * conversation with gaps; in the others, messages that had any.
 */
export type ReasoningField = 'reasoning_content' | 'reasoning' | 'reasoning_text' | 'reasoning_details';

/**
 * What stands as the content of an assistant message that has calls and no text: `null`, as in the OpenAI reference;
 * an empty string; or no content at all.
 */
export type ToolCallContent = 'null' | 'empty' | 'omit';

/** How a provider wants messages written. */
export interface MessageFormat {
  /** Who is asked: what a provider of another name said on an item is left out. Default: nobody's is. */
  readonly name?: string | undefined;
  readonly sendReasoning?: ReasoningField | false | undefined;
  /** Default `'null'`. */
  readonly toolCallContent?: ToolCallContent | undefined;
  /** Default: ids are sent as they are. */
  readonly callIdFormat?: CallIdFormat | undefined;
}

/**
 * Converts the items of a prompt to the messages of Chat Completions.
 *
 * - A message's text parts are joined without a separator; with images, audio or files among them, the
 *   content is an array of parts.
 * - Calls become the `tool_calls` of one assistant message, together with the assistant's text before
 *   them; their outputs become `tool` messages.
 * - Of an output in parts, the text is the `tool` message, which the OpenAI reference allows nothing but text. The images
 *   and files of all outputs that follow each other are one message of the user after the last of them, each told with
 *   the call that it belongs to.
 * - The text of reasoning is omitted, unless `sendReasoning` names the field in which the provider expects it.
 * - What a provider said on an item (`extras`, `reasoning_details`) goes back in its place where the item's
 *   `provider` is the one that is asked, or names none; to any other it is not sent, since only the first
 *   understands it. Blocks of `thinking_blocks` that were cut before their signature are left out.
 *   `reasoning_details` that name no provider are sent only where `sendReasoning` asks for them.
 * - Arguments that are no JSON object are sent as `{}`: none at all, cut by a token limit, a text or a list. Providers
 *   that read them would reject the whole conversation from then on.
 * - An empty assistant message is omitted, since providers reject it, and so is one that repeats the
 *   message before it, as when an application appends twice. Of two calls with the same id the later wins.
 *
 * @throws TypeError for an invalid item, with its index and nothing of its content
 * @throws InvalidRequestError for an output, or arguments, that `JSON.stringify` refuses
 */
export function chatMessages(
  items: readonly InputItem[],
  format: MessageFormat = {},
): readonly ChatMessage[] {
  const messages: ChatMessage[] = [];
  const writeId = callIdWriter(format.callIdFormat);
  /** Which tool each call is of. */
  const names = new Map<string, string>();
  let assistant = emptyAssistant();
  /** Images and files of outputs, until no further output follows: nothing may come between calls and their outputs. */
  let media: object[] = [];

  /** Adds a message that is no output. */
  const push = (message: ChatMessage) => {
    if (media.length > 0) messages.push({ role: 'user', content: media });
    media = [];
    messages.push(message);
  };

  /** Whether the provider that is asked understands what another, perhaps, said on an item. */
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
        // Two messages stay two, but nothing may come between calls and their outputs.
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

/** An item in its full form: a message may omit its type, and have a string as its content. */
export function itemOf(raw: InputItem, index: number): ResponseItem {
  const { type = 'message', role, content } = (raw ?? {}) as EasyMessage;
  if (type !== 'message') return raw as ResponseItem;
  if (typeof role !== 'string' || (typeof content !== 'string' && !Array.isArray(content))) {
    throw new TypeError(`prompt.input[${index}] must be an item: a message has a role and content.`);
  }
  const parts: readonly ContentPart[] =
    typeof content === 'string' ? [{ type: 'input_text', text: content }] : content;
  return { type, role, content: parts };
}

/** OpenAI's own items may have a summary and no content. */
function reasoningTextOf({ content }: { readonly content?: ReasoningItem['content'] }): string {
  return (content ?? []).map(({ text }) => text).join('');
}

/** The assistant message that is being assembled. */
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

/** Anthropic refuses a block of thinking without its signature, so LiteLLM leaves it out as well. */
function withoutUnsigned(extras: Extras): Extras {
  const blocks = own(extras, 'thinking_blocks');
  if (!Array.isArray(blocks)) return extras;
  const signed = blocks.filter(
    (block) => !isRecord(block) || own(block, 'type') !== 'thinking' || Boolean(own(block, 'signature')),
  );
  const { thinking_blocks: _all, ...others } = extras;
  return signed.length === 0 ? others : { ...others, thinking_blocks: signed };
}

/** What the provider said of a call stands where it stood, and never in place of the call itself. */
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

/** Unknown parts may already have the provider's own shape, and pass unchanged. */
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

/** What stands in a `tool` message whose output is in the message of the user that follows. */
const isAttached = 'The output is attached in the next user message.';

/** JavaScript callers may pass an array of anything, which is a value then. */
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
