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

/** A tool whose input is free text. */
export interface CustomTool {
  readonly type: 'custom';
  readonly name: string;
  readonly description?: string;
  readonly format?: Readonly<Record<string, unknown>>;
}

/** A tool in the format of Chat Completions, or a provider's own. */
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

const nestingTypes: readonly string[] = ['function', 'custom', 'json_schema'];

/**
 * Converts a tool, a tool choice or a format to Chat Completions: the fields that the Responses API puts next
 * to the type are nested under its name, without `null`s (`strict`, `description`, `parameters`), which strict
 * providers reject. A value that is already nested, without `null`s, passes unchanged. JSON schemas are not
 * touched.
 */
export function nested(value: ToolDefinition | ToolChoice | ResponseFormat): unknown {
  if (typeof value === 'string' || !nestingTypes.includes(value.type)) return value;
  const { type, ...rest } = value;
  if (!Object.hasOwn(value, type)) return { type, [type]: withoutNulls(rest) };
  const definition = (value as Readonly<Record<string, unknown>>)[type];
  const isClean = !isRecord(definition) || !Object.values(definition).includes(null);
  return isClean ? value : { ...value, [type]: withoutNulls(definition) };
}

const withoutNulls = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
