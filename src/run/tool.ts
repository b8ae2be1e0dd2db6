import type { ObservableInput } from 'rxjs';
import { checkLimit } from '../flow/timers.js';
import type { CustomTool, FunctionTool } from '../prompt/tools.js';
import { type JsonSchema, jsonSchemaOf, type Schema, type SchemaOutput } from '../turn/schema.js';

/** The context of a tool call. */
export interface ToolContext {
  /** The call's `call_id`. */
  readonly callId: string;
  /** Aborted if the run is unsubscribed, or the tool times out, before it is done. */
  readonly signal: AbortSignal;
}

/** The input of a tool: a schema, or `'text'` for a custom tool, whose input is free text. */
export type ToolInput = Schema | 'text';

/** The arguments of a tool's `execute`. */
export type ToolArguments<S> = S extends 'text' ? string : SchemaOutput<S>;

/** Whether a call needs approval. */
export type ToolApproval<Args> = boolean | ((args: Args) => ObservableInput<boolean> | boolean);

/** A tool that the model may call, with its implementation. */
export interface ToolOptions<S extends ToolInput> {
  /** Letters, digits, `_` and `-`, as OpenAI requires. */
  readonly name: string;
  /** Tells the model when to call it. */
  readonly description?: string | undefined;
  /** Default: no arguments. */
  readonly input?: S | undefined;
  /**
   * Executes a call. Return a value, a promise, an Observable or an async iterable: the last value is the
   * output, earlier ones are progress. An error is reported to the model.
   *
   * The output is text, parts (`input_text`, `input_image`, `input_file`), or a value that is sent as JSON. No
   * value is an empty text.
   */
  readonly execute: (args: ToolArguments<S>, context: ToolContext) => unknown;
  /** Maximum duration in milliseconds. Default: the run's `toolTimeout`. */
  readonly timeout?: number | undefined;
  /**
   * Whether a call needs the run's approval: always, or unless a function of its arguments returns `false`.
   * Default `false`.
   */
  readonly approve?: ToolApproval<ToolArguments<S>> | undefined;
  /**
   * Whether a resumed run may execute a call again that was started but did not end. Default `false`: the model
   * is told that its outcome is unknown.
   */
  readonly idempotent?: boolean | undefined;
  /** Whether the provider must enforce the schema. Default: not sent. */
  readonly strict?: boolean | undefined;
}

/** A tool, for the `tools` of `runTools()`. */
export interface Tool<Args = never> {
  readonly name: string;
  /** The definition that is sent to the model. */
  readonly definition: FunctionTool | CustomTool;
  readonly input: ToolInput;
  readonly execute: (args: Args, context: ToolContext) => unknown;
  readonly timeout: number | undefined;
  readonly approve: ToolApproval<Args>;
  readonly idempotent?: boolean;
}

/** No arguments. */
const nothing: JsonSchema = { type: 'object', properties: {} };

/**
 * Creates a tool for `runTools()`. `execute` gets arguments that match `input`.
 *
 * `input` is a Standard Schema that can be converted to a JSON schema (zod 4, arktype), `{ validate, jsonSchema
 * }` for others (valibot with `@valibot/to-json-schema`), or a JSON schema alone: then the arguments are
 * parsed, but not validated.
 *
 * @example
 * ```ts
 * const weather = tool({
 *   name: 'weather',
 *   description: 'The weather in a city, now',
 *   input: z.object({ city: z.string() }),
 *   execute: ({ city }, { signal }) => fetch(`https://weather.example/${city}`, { signal }).then((r) => r.json()),
 * });
 * ```
 *
 * @throws TypeError for an invalid name, an `approve` of the wrong type, a `timeout` below 1, or a schema that
 * cannot be converted to a JSON schema
 */
export function tool<const S extends ToolInput = JsonSchema>(
  options: ToolOptions<S>,
): Tool<ToolArguments<S>> {
  const { name, description, execute, timeout, approve = false, idempotent = false, strict } = options;
  const input: ToolInput = options.input ?? nothing;
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name))
    throw new TypeError('A tool needs a name: 1 to 64 letters, digits, "_" or "-".');
  if (typeof execute !== 'function') throw new TypeError(`tool("${name}").execute must be a function.`);
  if (typeof approve !== 'boolean' && typeof approve !== 'function')
    throw new TypeError(`tool("${name}").approve must be a boolean or a function.`);
  checkLimit('timeout', timeout ?? Infinity);
  const told = { name, ...(description !== undefined && { description }) };
  const definition: FunctionTool | CustomTool =
    input === 'text'
      ? { type: 'custom', ...told }
      : {
          type: 'function',
          ...told,
          parameters: jsonSchemaOf(input, `tool("${name}").input`),
          ...(strict !== undefined && { strict }),
        };
  return { name, definition, input, execute, timeout, approve, idempotent };
}

/** A value that is always progress, never the output: {@link toolProgress}. */
export class ToolProgress {
  constructor(readonly value: unknown) {}
}

/**
 * Marks a value that a tool emits as progress. Without it, a value is known to be progress only when the next one comes.
 *
 * @example
 * ```ts
 * execute: ({ url }) => concat(of(toolProgress('Loading')), load(url)),
 * ```
 */
export const toolProgress = (value: unknown): ToolProgress => new ToolProgress(value);
