/** What a value is called in a picture. */
export interface Label {
  /** Its colour. */
  readonly tone: string;
  /** What stands in its marble. */
  readonly lines?: readonly string[];
  /** What would be too long for a marble, and stands in the legend. */
  readonly detail?: string;
  /** The finish reason, which few pictures show. */
  readonly finish?: string;
}

interface Message {
  readonly data: string;
  readonly event?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

interface Item {
  readonly type: string;
  readonly role?: string;
  readonly name: string;
  readonly content?: readonly { readonly text?: string; readonly refusal?: string }[];
}

interface Event {
  readonly type: string;
  readonly item: Item;
  readonly stopped?: boolean;
  readonly finishReason?: string | null;
  readonly delay: number;
  readonly delta: string;
  readonly call?: { readonly name: string };
  readonly callId: string;
  readonly reason: string;
}

interface Text {
  readonly text: string;
}

/** The fields that a value is told by: any of them may be missing. */
interface Shown extends Message, Answer, Text, Omit<Item & Event, 'type'> {
  readonly type: string;
  readonly message: unknown;
  readonly turn?: Text;
  readonly steps: readonly { readonly turn: Text }[];
}

/** What a value is called in a picture. */
export function labelOf(value: unknown): Label {
  if (typeof value === 'string') return labelOfText(value);
  if (typeof value !== 'object' || value === null) return { tone: 'other', lines: [String(value)] };
  if (ArrayBuffer.isView(value)) return wire(new TextDecoder().decode(value));
  const shown = value as Shown;
  if (typeof shown.message === 'string' && 'stack' in value) return { tone: 'error', lines: [shown.name] };
  if ('headers' in value) return labelOfAnswer(shown);
  if ('toolCalls' in value || 'turn' in value) {
    return { tone: 'state', lines: [String(shown.status), `'${(shown.turn ?? shown).text}'`] };
  }
  if ('steps' in value) {
    return { tone: 'state', lines: [String(shown.status), `'${shown.steps.at(-1)?.turn.text ?? ''}'`] };
  }
  if (typeof shown.data === 'string') return labelOfMessage(shown);
  if (/^(message|reasoning|(function|custom_tool)_call)$/.test(shown.type)) return labelOfItem(shown);
  return labelOfEvent(shown) ?? wire(JSON.stringify(value));
}

const longest = 12;

const visible = (text: string): string => text.replace(/^ | $/g, '␣').replaceAll('\n', '⏎');

const wire = (text: string): Label =>
  text.length > longest ? { tone: 'wire', detail: visible(text) } : { tone: 'wire', lines: [visible(text)] };

function labelOfText(text: string): Label {
  const [, chunk] = /^data: (\{"choices".*\})\n\n$/.exec(text) ?? [];
  if (chunk !== undefined) {
    const { choices } = JSON.parse(chunk) as {
      readonly choices: readonly { readonly delta: { content?: string }; readonly finish_reason: string }[];
    };
    const said = choices[0]?.delta.content ?? choices[0]?.finish_reason ?? '';
    return { tone: 'wire', lines: ['data:', visible(said)] };
  }
  if (text === 'data: [DONE]\n\n') return { tone: 'wire', lines: ['[DONE]'] };
  return /^(data|event)?: /.test(text) ? wire(text) : { tone: 'text', lines: [visible(text)] };
}

function labelOfAnswer({ status, headers }: Answer): Label {
  const wait = headers['retry-after'];
  const lines = [String(status), ...(wait === undefined ? [] : [`retry-after: ${wait}`])];
  return { tone: status < 300 ? 'completed' : 'warning', lines };
}

function labelOfMessage({ ...message }: Message): Label {
  if (message.data.length <= longest && message.event === undefined) return wire(message.data);
  const [, chunk] = /"object":"chat\.completion\.chunk".*?,("choices":.*)$/.exec(message.data) ?? [];
  if (chunk !== undefined) return { tone: 'wire', detail: `{ data: '{…,${chunk}' }` };
  const fields = Object.entries(message).filter(([, value]) => value !== undefined);
  const shown = fields.map(([name, value]) => `${name}: '${visible(value)}'`);
  return { tone: 'wire', detail: `{ ${shown.join(', ')} }` };
}

function labelOfEvent(event: Event): Label | undefined {
  const { type, item, stopped, finishReason, delay, delta, call, callId, reason } = event;
  switch (type) {
    case 'completed':
      return {
        tone: 'completed',
        lines: stopped ? ['completed', 'stopped'] : ['completed'],
        finish: String(finishReason),
      };
    case 'retrying':
    case 'restarting':
      return { tone: 'warning', lines: [type, `${delay} ms`] };
    case 'chunk':
      return { tone: 'wire', lines: ['chunk'] };
    case 'approval_requested':
    case 'tool_started':
    case 'tool_progress':
    case 'tool_finished':
      return { tone: 'other', lines: [type.replace(/^\w+_/, ''), call?.name ?? callId] };
    case 'run_completed':
      return { tone: 'completed', lines: ['run', reason] };
    case 'function_call_arguments_delta':
      return { tone: 'other', lines: ['call', visible(delta)] };
    case 'output_item_done':
      return labelOfItem(item);
    default:
      return undefined;
  }
}

function labelOfItem(item: Item): Label {
  const said = (item.content ?? []).map((part) => part.text ?? part.refusal).join('');
  if (item.type === 'reasoning') return { tone: 'reasoning', lines: ['reasoning', visible(said)] };
  if (item.type !== 'message') return { tone: 'other', lines: ['call', item.name] };
  if (item.role !== 'assistant') return { tone: 'other', lines: [String(item.role), visible(said)] };
  return { tone: 'text', lines: [visible(said)] };
}
