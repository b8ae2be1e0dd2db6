import type { ObservableInput } from 'rxjs';
import type { JsonSchema } from '../turn/schema.js';

/**
 * What a server says of a tool. Each is a hint, and a server that is not trusted may lie: MCP says that no decision
 * about such a server's tools should rest on them.
 */
export interface McpToolAnnotations {
  readonly title?: string | undefined;
  /** It changes nothing. */
  readonly readOnlyHint?: boolean | undefined;
  /** It may delete or overwrite. */
  readonly destructiveHint?: boolean | undefined;
  /** To call it again with the same arguments changes nothing more. */
  readonly idempotentHint?: boolean | undefined;
  /** It reaches beyond the server: the web, say. */
  readonly openWorldHint?: boolean | undefined;
}

/** A tool as an MCP server lists it. */
export interface McpTool {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly inputSchema: JsonSchema;
  readonly annotations?: McpToolAnnotations | undefined;
  readonly execution?: { readonly taskSupport?: string | undefined } | undefined;
}

/** One page of a list of tools. */
export interface McpToolPage {
  readonly tools: readonly McpTool[];
  readonly nextCursor?: string | undefined;
}

/** What a request of the client is given. */
export interface McpRequestOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly onprogress?: (progress: unknown) => void;
}

/** Which tool is called, by its own name. */
export interface McpCall {
  readonly name: string;
  readonly arguments?: Record<string, unknown>;
}

/**
 * What is needed of an MCP client: the `Client` of `@modelcontextprotocol/sdk` (version 1) or
 * `@modelcontextprotocol/client` (version 2), or an object of one's own.
 */
export interface McpClient {
  listTools(params?: { readonly cursor?: string }, options?: McpRequestOptions): ObservableInput<McpToolPage>;
  /** `(call, options)`, or `(call, resultSchema, options)` as in version 1 of the SDK: told apart by `length`. */
  callTool(call: McpCall, ...rest: never[]): ObservableInput<unknown>;
}
