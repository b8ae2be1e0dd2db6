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

const nestingTypes: readonly string[] = ['function', 'custom', 'json_schema'];

/**
 * A tool, a choice of tools or a format as Chat Completions writes it: nested under the name of the type is what
 * the Responses API puts beside it. A value that is already nested passes unchanged.
 */
export function nested(value: ToolDefinition | ToolChoice | ResponseFormat): unknown {
  if (typeof value === 'string' || !nestingTypes.includes(value.type) || Object.hasOwn(value, value.type))
    return value;
  const { type, ...rest } = value;
  return { type, [type]: rest };
}
