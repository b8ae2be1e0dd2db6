import type { ObservableInput } from 'rxjs';
import { checkLimit } from '../flow/timers.js';
import type { CustomTool, FunctionTool } from '../prompt/tools.js';
import { type JsonSchema, jsonSchemaOf, type Schema, type SchemaOutput } from '../turn/schema.js';

/** What a tool is given besides its arguments. */
export interface ToolContext {
  /** The call's `call_id`. */
  readonly callId: string;
  /** Aborted when the run is left, or the tool takes too long, before the tool is done. */
  readonly signal: AbortSignal;
}

/** What a tool takes: a schema, or `'text'` for a custom tool, whose input is free text. */
export type ToolInput = Schema | 'text';

/** What a tool's `execute` is given. */
export type ToolArguments<S> = S extends 'text' ? string : SchemaOutput<S>;

/** Whether a call has to be approved first. */
export type ToolApproval<Args> = boolean | ((args: Args) => ObservableInput<boolean> | boolean);

/** A tool that the model may call, with what happens then. */
export interface ToolOptions<S extends ToolInput> {
  /** Letters, digits, `_` and `-`, as OpenAI asks for. */
  readonly name: string;
  /** When to call it, for the model. */
  readonly description?: string | undefined;
  /** Default: no arguments. */
  readonly input?: S | undefined;
  /**
   * What a call does. It returns a value, a promise, an Observable or an async iterable: the last value is the output,
   * those before it are progress. What it throws is told to the model.
   *
   * The output is text, parts (`input_text`, `input_image`, `input_file`), or a value that is written as JSON. None is
   * an empty text.
   */
  readonly execute: (args: ToolArguments<S>, context: ToolContext) => unknown;
  /** Milliseconds until the tool must be done. Default: the run's `toolTimeout`. */
  readonly timeout?: number | undefined;
  /** Whether a call needs the run's approval, always or by its arguments: unless a function says `false`. Default `false`. */
  readonly approve?: ToolApproval<ToolArguments<S>> | undefined;
  /**
   * Whether a call may be executed again where a run is resumed, and the call was started without an end. Default
   * `false`: the model is told that its outcome is not known.
   */
  readonly idempotent?: boolean | undefined;
  /** Whether the provider must hold the model to the schema. Default: not sent. */
  readonly strict?: boolean | undefined;
}

/** A tool, for the `tools` of `runTools()`. */
export interface Tool<Args = never> {
  readonly name: string;
  /** What the model is told of it. */
  readonly definition: FunctionTool | CustomTool;
  readonly input: ToolInput;
  readonly execute: (args: Args, context: ToolContext) => unknown;
  readonly timeout: number | undefined;
  readonly approve: ToolApproval<Args>;
  readonly idempotent?: boolean;
}

/** Without any arguments. */
const nothing: JsonSchema = { type: 'object', properties: {} };

/**
 * A tool for `runTools()`. `execute` is given arguments that match `input`.
 *
 * `input` is a Standard Schema that can be written as JSON schema (zod 4, arktype), `{ validate, jsonSchema }` for those
 * that cannot (valibot with `@valibot/to-json-schema`), or a JSON schema alone: then the arguments are JSON, and not
 * checked otherwise.
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
 * @throws TypeError for a name that is none, an `approve` of the wrong kind, a `timeout` below 1, or a schema that cannot be written as JSON schema
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

/** A value that is progress at once, and never the output: {@link toolProgress}. */
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
