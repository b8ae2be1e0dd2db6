import { isRecord } from '../turn/wire.js';

/** A function that the model may call, in the format of OpenAI's Responses API. */
export interface FunctionTool {
  readonly type: 'function';
  readonly name: string;
  readonly description?: string | null;
  /** JSON schema of the arguments. */
  readonly parameters?: Readonly<Record<string, unknown>> | null;
  readonly strict?: boolean | null;
}

/** A tool that takes free text. */
export interface CustomTool {
  readonly type: 'custom';
  readonly name: string;
  readonly description?: string;
  readonly format?: Readonly<Record<string, unknown>>;
}

/** A tool already in the format of Chat Completions, or one of the provider's own. */
export type ProviderTool =
  { readonly type: string } | (Readonly<Record<string, unknown>> & { readonly type: string });

export type ToolDefinition = FunctionTool | CustomTool | ProviderTool;

/** Whether the model must call a tool, and which. */
export type ToolChoice =
  | 'auto'
  | 'none'
  | 'required'
  | { readonly type: 'function' | 'custom'; readonly name: string }
  | ProviderTool;

/** The output format: a JSON schema, any JSON, or text. */
export type ResponseFormat =
  | { readonly type: 'text' | 'json_object' }
  | {
      readonly type: 'json_schema';
      readonly name: string;
      /** A JSON schema. */
      readonly schema: Readonly<Record<string, unknown>>;
      readonly description?: string;
      readonly strict?: boolean;
    }
  | ProviderTool;

/**
 * Chat Completions nests under the name of the type what the Responses API puts beside it, and knows no `null` there
 * (`strict`, `description`, `parameters`): what is `null` is left out. A value that is nested and without one passes
 * unchanged. What stands inside a JSON schema is not touched.
 */
function nested<T extends { readonly type: string }>(value: T, keys: readonly string[]): object {
  if (!keys.includes(value.type)) return value;
  const { type, ...rest } = value;
  const definition: unknown = Object.hasOwn(value, type) ? value[type as keyof T] : undefined;
  if (definition === undefined) return { type, [type]: withoutNulls(rest) };
  const isClean = !isRecord(definition) || !Object.values(definition).includes(null);
  return isClean ? value : { ...value, [type]: withoutNulls(definition) };
}

const withoutNulls = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));

export const chatTool = (tool: ToolDefinition): object => nested(tool, ['function', 'custom']);

export const chatToolChoice = (choice: ToolChoice): unknown =>
  typeof choice === 'string' ? choice : nested(choice, ['function', 'custom']);

export const chatResponseFormat = (format: ResponseFormat): object => nested(format, ['json_schema']);
