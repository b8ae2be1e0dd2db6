/** A function that a model may call, as OpenAI's Responses API writes it. */
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

/** A tool in the shape of Chat Completions already, or of a kind that only the provider knows. */
export type ProviderTool =
  { readonly type: string } | (Readonly<Record<string, unknown>> & { readonly type: string });

export type ToolDefinition = FunctionTool | CustomTool | ProviderTool;

/** Whether, and which tool, the model must call. */
export type ToolChoice =
  | 'auto'
  | 'none'
  | 'required'
  | { readonly type: 'function' | 'custom'; readonly name: string }
  | ProviderTool;

/** The form of the answer: a JSON schema, any JSON, or text. */
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
 * Chat Completions nests under the type's own name what the Responses API writes beside it. A value
 * that is nested already passes as it is.
 */
function nested<T extends { readonly type: string }>(value: T, keys: readonly string[]): object {
  if (!keys.includes(value.type) || Object.hasOwn(value, value.type)) return value;
  const { type, ...rest } = value;
  return { type, [type]: rest };
}

export const chatTool = (tool: ToolDefinition): object => nested(tool, ['function', 'custom']);

export const chatToolChoice = (choice: ToolChoice): unknown =>
  typeof choice === 'string' ? choice : nested(choice, ['function', 'custom']);

export const chatResponseFormat = (format: ResponseFormat): object => nested(format, ['json_schema']);
