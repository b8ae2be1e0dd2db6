import type { ModelProvider } from '../../src/index.js';

/** What a provider said in one turn, and what of it has to come back. */
export interface Said {
  /** Every signature, seal and encrypted entry, by where it stood. */
  readonly onCalls: readonly string[];
  readonly onMessage: readonly string[];
  /** The words of its reasoning, as `reasoning_content`. */
  readonly reasoning: string;
}

/** Who is asked, and who has said what before. */
export interface Asked {
  readonly provider: ModelProvider;
  /** A turn for each message of the assistant. */
  readonly before: readonly { readonly by: string; readonly said: Said }[];
  /** Whether a provider numbers its calls anew in each turn, and so takes an id twice. */
  readonly repeatsIds?: boolean | undefined;
}

type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const recordsOf = (value: unknown): readonly Json[] => listOf(value).filter(isRecord);

/** The JSON of each event of a stream, or that of an answer that is no stream. */
export function chunksIn(wire: string): readonly Json[] {
  const texts = wire.startsWith('{')
    ? [wire]
    : [...wire.matchAll(/^data: ?(\{.*\})\r?$/gm)].map(([, it]) => it!);
  return texts.flatMap((text) => {
    try {
      return [JSON.parse(text) as Json];
    } catch {
      return [];
    }
  });
}

/** What the first choice of a stream says, entry by entry. */
const deltasIn = (wire: string): readonly Json[] =>
  chunksIn(wire).flatMap(({ choices }) => {
    const [choice] = recordsOf(choices).filter(({ index }) => index === undefined || index === 0);
    return choice === undefined ? [] : [choice['delta'], choice['message']].filter(isRecord);
  });

/** Reads a stream as plainly as can be, so that nothing of the library decides what has to come back. */
export function saidIn(wire: string): Said {
  const deltas = deltasIn(wire);
  return {
    onCalls: deltas.flatMap((delta) => sealsIn(delta['tool_calls'])),
    onMessage: deltas.flatMap(({ tool_calls: _calls, ...others }) => sealsIn(others)),
    reasoning: deltas
      .map(({ reasoning_content: words }) => (typeof words === 'string' ? words : ''))
      .join(''),
  };
}

/** The texts that a provider has sealed something with. */
function sealsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(sealsIn);
  if (!isRecord(value)) return [];
  const isSealed = typeof value['type'] === 'string' && /encrypted|redacted/.test(value['type']);
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'string' &&
    inner !== '' &&
    (/signature|opaque|encrypted/.test(key) || (isSealed && key === 'data'))
      ? [inner]
      : sealsIn(inner),
  );
}

/**
 * What strict providers refuse in a request: each of these rules is kept by at least one of them. Empty where there is
 * nothing.
 */
export function faultsOf(body: unknown, asked: Asked): readonly string[] {
  const { messages, tools } = isRecord(body) ? body : {};
  const all = recordsOf(messages);
  return [...orderFaults(all, asked), ...assistantFaults(all, asked), ...toolFaults(tools)];
}

/** Outputs stand behind their calls, one for each and in their order. */
function orderFaults(messages: readonly Json[], { repeatsIds = false }: Asked): readonly string[] {
  const faults: string[] = [];
  const seen = new Set<unknown>();
  let open: unknown[] = [];
  for (const [place, message] of messages.entries()) {
    const { role } = message;
    if (role === 'tool') {
      const next = open.shift();
      if (next === undefined) faults.push(`messages[${place}] answers no call of the message before it`);
      else if (next !== message['tool_call_id'])
        faults.push(`messages[${place}] answers another call than the next`);
      if (typeof message['content'] !== 'string' && listOf(message['content']).length === 0)
        faults.push(`messages[${place}] is an output without content`);
      continue;
    }
    if (open.length > 0) faults.push(`messages[${place}] follows ${open.length} calls without an output`);
    const ids = recordsOf(message['tool_calls']).map(({ id }) => id);
    for (const id of ids) {
      if (typeof id !== 'string' || id === '') faults.push(`messages[${place}] has a call without an id`);
      if (seen.has(id)) faults.push(`messages[${place}] has an id for the second time`);
      seen.add(id);
    }
    if (repeatsIds) seen.clear();
    open = [...ids];
  }
  if (open.length > 0) faults.push(`the last message has ${open.length} calls without an output`);
  if (messages.at(-1)?.['role'] === 'assistant') faults.push('the last message is from the assistant');
  return faults;
}

function assistantFaults(messages: readonly Json[], { provider, before }: Asked): readonly string[] {
  const answers = messages.flatMap((message, place) =>
    message['role'] === 'assistant' ? [{ message, place }] : [],
  );
  if (answers.length !== before.length)
    return [`${answers.length} messages of the assistant after ${before.length} turns`];
  return answers.flatMap(({ message, place }, turn) => {
    const { by, said } = before[turn]!;
    return [
      ...messageFaults(message, provider),
      ...callFaults(message, provider),
      ...sealFaults(message, said, by, provider),
    ].map((fault) => `messages[${place}] ${fault}`);
  });
}

function messageFaults(message: Json, { sendReasoning }: ModelProvider): readonly string[] {
  const { content, refusal, tool_calls: calls } = message;
  const faults: string[] = [];
  const isEmpty = content === null || content === '' || content === undefined;
  if (isEmpty && calls === undefined && typeof refusal !== 'string') faults.push('is empty');
  if (calls !== undefined && listOf(calls).length === 0) faults.push('has an empty list of calls');
  if (Object.entries(message).some(([key, value]) => key !== 'content' && value === null))
    faults.push('has a null');
  if (sendReasoning === 'reasoning_content' && typeof message['reasoning_content'] !== 'string')
    faults.push('has no reasoning_content');
  return faults;
}

function callFaults({ tool_calls: calls }: Json, { callIdFormat }: ModelProvider): readonly string[] {
  return recordsOf(calls).flatMap(({ id, type, function: body, custom }) => {
    const faults: string[] = [];
    const { name, arguments: args, input } = isRecord(body) ? body : isRecord(custom) ? custom : {};
    if (type !== 'function' && type !== 'custom') faults.push('has a call of no type');
    if (typeof name !== 'string' || name === '') faults.push('has a call without a name');
    if (type === 'function' && !isJsonObject(args)) faults.push('has arguments that are no JSON object');
    if (type === 'custom' && typeof input !== 'string') faults.push('has a custom call without input');
    if (callIdFormat === 'mistral' && !/^[a-zA-Z0-9]{9}$/.test(String(id)))
      faults.push('has an id of another form');
    return faults;
  });
}

function isJsonObject(text: unknown): boolean {
  try {
    return typeof text === 'string' && isRecord(JSON.parse(text));
  } catch {
    return false;
  }
}

/** What was sealed goes back once, where it stood, to whom it is from, and to nobody else. */
function sealFaults(message: Json, said: Said, by: string, provider: ModelProvider): readonly string[] {
  const { tool_calls: calls, ...others } = message;
  const isOwn = by === provider.name;
  const faults: string[] = [];
  if (!sameTexts(sealsIn(calls), isOwn ? said.onCalls : [])) faults.push('has other signatures on its calls');
  if (!sameTexts(sealsIn(others), isOwn ? said.onMessage : []))
    faults.push('has other signatures beside its text');
  if (
    provider.sendReasoning === 'reasoning_content' &&
    isOwn &&
    message['reasoning_content'] !== said.reasoning
  )
    faults.push('has other reasoning');
  return faults;
}

const sameTexts = (some: readonly string[], others: readonly string[]): boolean =>
  JSON.stringify([...some].sort()) === JSON.stringify([...others].sort());

/** Strict providers read a `null` as a value of the wrong type. */
function toolFaults(tools: unknown): readonly string[] {
  if (tools === undefined) return [];
  const list = recordsOf(tools);
  return [
    ...(list.length === 0 ? ['tools is empty'] : []),
    ...list.flatMap((tool, place) => {
      const { function: body, custom } = tool;
      const fields = [tool, body, custom].filter(isRecord).flatMap((record) => Object.values(record));
      return fields.includes(null) ? [`tools[${place}] has a null`] : [];
    }),
  ];
}
