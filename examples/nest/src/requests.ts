import type { ChatRequestBody, Prompt } from 'rxjs-chat-completions';
import { z } from 'zod';
import { RequestProblem } from './problems.js';

// What may be asked. Objects are strict: what is not named here is refused, so that nothing reaches the provider that
// its owner did not decide on. `n`, `store`, `service_tier` and the like cost or keep what the key's owner answers for;
// a provider's own tools (web search, MCP, code) act in that owner's name; ids of files lead to what the account holds.

const maxItems = 200;
const name = z.string().regex(/^[\w-]{1,64}$/);
const text = z.string();
const json = z.record(z.string(), z.unknown());
const url = z.string().regex(/^(?:https:|data:image\/)/);
const detail = z.enum(['auto', 'low', 'high']).optional();

/** What a provider said beside text and calls, and wants to see again: signatures, reasoning (docs/what-goes-back.md). */
const returned = {
  extra_content: json.optional(),
  provider_specific_fields: json.optional(),
  thinking_blocks: z.array(json).max(maxItems).optional(),
  reasoning_opaque: text.optional(),
};

const description = text.nullish();
const func = z.strictObject({ name, description, parameters: json.nullish(), strict: z.boolean().nullish() });
const custom = z.strictObject({ name, description: text.optional(), format: json.optional() });

const content = z.union([
  text,
  z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('text'), text }),
        z.strictObject({ type: z.literal('refusal'), refusal: text }),
        z.strictObject({ type: z.literal('image_url'), image_url: z.strictObject({ url, detail }) }),
      ]),
    )
    .max(maxItems),
]);

const call = z.discriminatedUnion('type', [
  z.strictObject({
    ...returned,
    id: text,
    type: z.literal('function'),
    function: z.strictObject({ ...returned, name, arguments: text }),
  }),
  z.strictObject({
    ...returned,
    id: text,
    type: z.literal('custom'),
    custom: z.strictObject({ name, input: text }),
  }),
]);

const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.enum(['system', 'developer', 'user']), content, name: name.optional() }),
  z.strictObject({
    role: z.literal('assistant'),
    content: content.nullish(),
    refusal: text.nullish(),
    reasoning_content: text.nullish(),
    reasoning: text.nullish(),
    reasoning_text: text.nullish(),
    reasoning_details: z.array(json).optional(),
    ...returned,
    name: name.optional(),
    tool_calls: z.array(call).max(maxItems).optional(),
  }),
  z.strictObject({ role: z.literal('tool'), tool_call_id: text, content }),
]);

const tool = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('function'), function: func }),
  z.strictObject({ type: z.literal('custom'), custom }),
]);

const named = z.strictObject({ name });
const tokens = z.int().positive();

/** The body of `POST /v1/chat/completions`. */
export const chatRequest = z.strictObject({
  model: text,
  stream: z.boolean().nullish(),
  messages: z.array(message).min(1).max(maxItems),
  stream_options: z.strictObject({ include_usage: z.boolean().optional() }).nullish(),
  max_tokens: tokens.optional(),
  max_completion_tokens: tokens.optional(),
  tools: z.array(tool).max(64).optional(),
  tool_choice: z
    .union([
      z.enum(['auto', 'none', 'required']),
      z.strictObject({ type: z.literal('function'), function: named }),
      z.strictObject({ type: z.literal('custom'), custom: named }),
    ])
    .optional(),
  parallel_tool_calls: z.boolean().optional(),
  response_format: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.enum(['text', 'json_object']) }),
      z.strictObject({
        type: z.literal('json_schema'),
        json_schema: z.strictObject({
          name,
          description,
          schema: json.optional(),
          strict: z.boolean().nullish(),
        }),
      }),
    ])
    .optional(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high']).optional(),
  verbosity: z.enum(['low', 'medium', 'high']).optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  presence_penalty: z.number().min(-2).max(2).optional(),
  frequency_penalty: z.number().min(-2).max(2).optional(),
  stop: z.union([text, z.array(text).max(4)]).optional(),
  seed: z.int().optional(),
});

const part = z.discriminatedUnion('type', [
  z.strictObject({ type: z.enum(['input_text', 'output_text']), text }),
  z.strictObject({ type: z.literal('refusal'), refusal: text }),
  z.strictObject({ type: z.literal('input_image'), image_url: url, detail }),
]);

const said = {
  extras: z.strictObject({ ...returned, function: z.strictObject(returned).optional() }).optional(),
  provider: text.optional(),
};

const item = z.union([
  z.strictObject({
    type: z.literal('message').optional(),
    role: z.enum(['system', 'developer', 'user', 'assistant']),
    content: z.union([text, z.array(part).max(maxItems)]),
  }),
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('reasoning'),
      content: z.array(z.strictObject({ type: z.literal('reasoning_text'), text })).max(maxItems),
      reasoning_details: z.array(json).optional(),
      ...said,
    }),
    z.strictObject({ type: z.literal('function_call'), call_id: text, name, arguments: text, ...said }),
    z.strictObject({ type: z.literal('function_call_output'), call_id: text, output: text }),
    z.strictObject({ type: z.literal('custom_tool_call'), call_id: text, name, input: text, ...said }),
    z.strictObject({ type: z.literal('custom_tool_call_output'), call_id: text, output: text }),
  ]),
]);

/** One message of the user. */
export const question = z.string().regex(/\S/);

/**
 * The id of a shared turn, made by its client of at least 122 random bits: `crypto.randomUUID()`, or the id that
 * `injectChat()` gave the answer and the turn's number in it.
 */
export const chatId = z.union([z.uuidv4(), z.string().regex(/^[0-9a-f]{32}-\d{1,3}$/)]);

/** The body of `POST /api/chat`: a `Prompt` of the library, or one message of the user. */
export const promptRequest = z.strictObject({
  prompt: z.union([
    question,
    z.strictObject({
      instructions: text.optional(),
      input: z.array(item).min(1).max(maxItems),
      tools: z
        .array(
          z.discriminatedUnion('type', [
            z.strictObject({ type: z.literal('function'), ...func.shape }),
            z.strictObject({ type: z.literal('custom'), ...custom.shape }),
          ]),
        )
        .max(64)
        .optional(),
    }),
  ]),
});

export type ChatRequest = z.output<typeof chatRequest>;
export type PromptRequest = z.output<typeof promptRequest>;

/**
 * What was sent, once it has the form of a schema.
 *
 * @throws RequestProblem that names the parameter and holds nothing of its value
 */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data as z.output<Schema>;
  const unknown = error.issues.find(({ code, path }) => code === 'unrecognized_keys' && path.length === 0);
  if (unknown !== undefined) {
    const [param = ''] = (unknown as z.core.$ZodIssueUnrecognizedKeys).keys;
    throw new RequestProblem(400, 'The request has a parameter that is not allowed here.', {
      ...(/^\w{1,64}$/.test(param) && { param }),
      code: 'unknown_parameter',
    });
  }
  const [param] = error.issues[0]?.path ?? [];
  if (typeof param !== 'string') throw new RequestProblem(400, 'The request is not in its form.');
  throw new RequestProblem(400, `${param} is missing, too long or of another form.`, { param });
}

/** The request for the provider that a checked one stands for: of a model that may be asked, and of bounded length. */
export function requestFor(
  request: ChatRequest,
  { models, maxTokens }: { readonly models: readonly string[]; readonly maxTokens: number },
): ChatRequestBody {
  const { stream: _stream, stream_options: _options, ...body } = request;
  if (!models.includes(body.model)) {
    const details = { param: 'model', code: 'model_not_found' };
    throw new RequestProblem(404, 'The model is not one of those that may be asked here.', details);
  }
  const { max_tokens: older, max_completion_tokens: asked = older === undefined ? maxTokens : undefined } =
    body;
  return {
    ...body,
    ...(older !== undefined && { max_tokens: Math.min(older, maxTokens) }),
    ...(asked !== undefined && { max_completion_tokens: Math.min(asked, maxTokens) }),
  };
}

/** The prompt that a checked request holds. */
export const promptOf = ({ prompt }: PromptRequest): Prompt | string => prompt as Prompt | string;

/** The names of the custom tools that a client offers. */
export const customToolsOf = ({ tools = [] }: ChatRequest): readonly string[] =>
  tools.flatMap((offered) => (offered.type === 'custom' ? [offered.custom.name] : []));
