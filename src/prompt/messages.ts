import type {
  ContentPart,
  CustomToolCallItem,
  FunctionCallItem,
  ReasoningItem,
  ResponseItem,
} from '../turn/events.js';
import type { EasyMessage, InputItem } from './prompt.js';

/** A message in the format of Chat Completions. */
export type ChatMessage = Readonly<Record<string, unknown>> & { readonly role: string };

/** The message field in which a provider expects the assistant's earlier reasoning. */
export type ReasoningField = 'reasoning_content' | 'reasoning' | 'reasoning_details';

/**
 * Converts the items of a prompt to the messages of Chat Completions (C2).
 *
 * - A message's text parts are joined without a separator; with images, audio or files among them, the
 *   content is an array of parts.
 * - Calls become the `tool_calls` of one assistant message, together with the assistant's text before
 *   them; their outputs become `tool` messages.
 * - Reasoning is omitted, unless `reasoningField` names the field in which the provider expects it.
 * - A call without arguments is sent with `{}`, since some providers reject an empty string.
 * - An empty assistant message is omitted, since providers reject it, and so is one that repeats the
 *   message before it, as when an application appends twice. Of two calls with the same id the later wins.
 *
 * @throws TypeError for an invalid item, with its index and nothing of its content
 */
export function chatMessages(
  items: readonly InputItem[],
  reasoningField?: ReasoningField,
): readonly ChatMessage[] {
  const messages: ChatMessage[] = [];
  let assistant = emptyAssistant();

  const flush = () => {
    const message = assistantMessageOf(assistant, reasoningField);
    assistant = emptyAssistant();
    if (message !== undefined && !repeats(message, messages.at(-1))) messages.push(message);
  };

  for (const [index, raw] of items.entries()) {
    const item = itemOf(raw, index);
    switch (item.type) {
      case 'message': {
        if (item.role !== 'assistant') {
          flush();
          messages.push({ role: item.role, content: inputContent(item.content) });
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
        assistant.details.push(...(item.reasoning_details ?? []));
        break;
      }
      case 'function_call':
      case 'custom_tool_call':
        assistant.calls.set(item.call_id, item);
        break;
      case 'function_call_output':
      case 'custom_tool_call_output':
        flush();
        messages.push({ role: 'tool', tool_call_id: item.call_id, content: textOrJson(item.output) });
        break;
      default:
        // Chat Completions has no such item.
        break;
    }
  }
  flush();
  return messages;
}

/** An item in its full form: a message may omit its type, and have a string as its content. */
function itemOf(raw: InputItem, index: number): ResponseItem {
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
  readonly calls: Map<string, FunctionCallItem | CustomToolCallItem>;
}

const emptyAssistant = (): Assistant => ({
  hasMessage: false,
  text: '',
  refusal: '',
  reasoning: '',
  details: [],
  calls: new Map(),
});

function assistantMessageOf(
  assistant: Assistant,
  reasoningField: ReasoningField | undefined,
): ChatMessage | undefined {
  const { text, refusal, calls } = assistant;
  if (text === '' && refusal === '' && calls.size === 0) return undefined;
  return {
    role: 'assistant',
    content: text === '' ? null : text,
    ...(refusal !== '' && { refusal }),
    ...reasoningOf(assistant, reasoningField),
    ...(calls.size > 0 && { tool_calls: [...calls.values()].map(toolCall) }),
  };
}

function reasoningOf({ reasoning, details }: Assistant, field: ReasoningField | undefined): object {
  if (field === 'reasoning_details') return details.length === 0 ? {} : { reasoning_details: details };
  return field === undefined || reasoning === '' ? {} : { [field]: reasoning };
}

function toolCall(call: FunctionCallItem | CustomToolCallItem): object {
  return call.type === 'function_call'
    ? {
        id: call.call_id,
        type: 'function',
        function: { name: call.name, arguments: textOrJson(call.arguments) || '{}' },
      }
    : { id: call.call_id, type: 'custom', custom: { name: call.name, input: textOrJson(call.input) } };
}

function repeats(message: ChatMessage, previous: ChatMessage | undefined): boolean {
  return (
    previous?.role === 'assistant' &&
    message['tool_calls'] === undefined &&
    JSON.stringify(message) === JSON.stringify(previous)
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

/** JavaScript callers may pass a tool's output as a value. */
function textOrJson(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
