import type { ChatRequestBody, InputItem, Prompt, ToolDefinition } from 'rxjs-chat-completions';
import { RequestProblem } from './problems.js';

const maxMessages = 200;
const maxTools = 64;
const roles: readonly unknown[] = ['system', 'developer', 'user', 'assistant', 'tool'];

/**
 * What is sent on to the provider. Anything else is refused: `n`, `store`, `service_tier` and so on cost
 * or keep what the owner of the key has to answer for.
 */
const params = new Set([
  ...['model', 'messages', 'stream', 'stream_options', 'max_tokens', 'max_completion_tokens'],
  ...['tools', 'tool_choice', 'parallel_tool_calls', 'response_format', 'reasoning_effort', 'verbosity'],
  ...['temperature', 'top_p', 'stop', 'seed', 'presence_penalty', 'frequency_penalty'],
]);

export interface ChatRequest {
  readonly body: ChatRequestBody;
  /** Whether the client asks for the usage (`stream_options.include_usage`). */
  readonly includeUsage: boolean;
  /** The names of its custom tools. */
  readonly customTools: readonly string[];
}

/** The body of `POST /v1/chat/completions`, as far as the backend answers for it. The rest is the provider's. */
export function readChatRequest(body: unknown, models: readonly string[]): ChatRequest {
  const fields = record(body, 'The body is no JSON object.');
  for (const param of Object.keys(fields)) {
    if (params.has(param)) continue;
    throw new RequestProblem(400, 'The request has a parameter that is not allowed here.', {
      ...(/^\w{1,64}$/.test(param) && { param }),
      code: 'unknown_parameter',
    });
  }
  const { stream_options: streamOptions, ...sent } = fields;
  const { model, messages, stream, tools } = sent;
  if (typeof model !== 'string' || !models.includes(model)) {
    const details = { param: 'model', code: 'model_not_found' };
    throw new RequestProblem(404, 'The model is not one of those that may be asked here.', details);
  }
  if (stream !== true) {
    const details = { param: 'stream', code: 'unsupported_value' };
    throw new RequestProblem(400, 'Answers are streams here: set stream to true.', details);
  }
  const turns = list(messages, 'messages', 1, maxMessages);
  if (!turns.every(({ role }) => roles.includes(role))) throw invalid('messages');
  const offered = tools === undefined ? [] : list(tools, 'tools', 0, maxTools);
  return {
    body: { ...sent, model, messages: turns, stream },
    includeUsage:
      streamOptions != null &&
      record(streamOptions, 'stream_options is no object.')['include_usage'] === true,
    customTools: offered.flatMap(({ type, custom }) => {
      const name = type === 'custom' ? (Object(custom) as { name?: unknown }).name : undefined;
      return typeof name === 'string' ? [name] : [];
    }),
  };
}

/** The body of `POST /api/chat`: `{ "prompt": ... }`, a `Prompt` of the library or one message of the user. */
export function readPrompt(body: unknown): Prompt | string {
  const { prompt } = record(body, 'The body is no JSON object.');
  if (typeof prompt === 'string') return readQuestion(prompt);
  const { instructions, input, tools } = record(prompt, 'The prompt is neither text nor an object.');
  if (instructions !== undefined && typeof instructions !== 'string') throw invalid('prompt.instructions');
  return {
    ...(instructions !== undefined && { instructions }),
    // What is inside is checked where the request for the provider is made of it.
    input: list<InputItem>(input, 'prompt.input', 1, maxMessages),
    ...(tools !== undefined && {
      tools: list<ToolDefinition>(tools, 'prompt.tools', 0, maxTools),
    }),
  };
}

export function readQuestion(question: unknown): string {
  if (typeof question === 'string' && question.trim() !== '') return question;
  throw new RequestProblem(400, 'There is no question.');
}

type Fields = Record<string, unknown>;

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function record(value: unknown, complaint: string): Fields {
  if (!isRecord(value)) throw new RequestProblem(400, complaint);
  return value;
}

/** Of its items only that they are objects is known, whatever the caller calls them. */
function list<Item extends object = Fields>(
  value: unknown,
  param: string,
  least: number,
  most: number,
): Item[] {
  if (!Array.isArray(value)) throw invalid(param);
  const items: unknown[] = value;
  if (items.length < least || items.length > most || !items.every(isRecord)) throw invalid(param);
  return value as Item[];
}

const invalid = (param: string) =>
  new RequestProblem(400, `${param} is missing, too long or of another form.`, { param });
