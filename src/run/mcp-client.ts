import type { ObservableInput } from 'rxjs';
import type { JsonSchema } from '../turn/schema.js';

/**
 * A server's hints about a tool. An untrusted server may lie: MCP says not to base decisions about its tools on
 * them.
 */
export interface McpToolAnnotations {
  readonly title?: string | undefined;
  /** The tool changes nothing. */
  readonly readOnlyHint?: boolean | undefined;
  /** The tool may delete or overwrite. */
  readonly destructiveHint?: boolean | undefined;
  /** Calling the tool again with the same arguments has no further effect. */
  readonly idempotentHint?: boolean | undefined;
  /** The tool reaches beyond the server, for example to the web. */
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

/** The options of a client request. */
export interface McpRequestOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly onprogress?: (progress: unknown) => void;
}

/** A call of a tool, by its original name. */
export interface McpCall {
  readonly name: string;
  readonly arguments?: Record<string, unknown>;
}

/**
 * The part of an MCP client that is used: the `Client` of `@modelcontextprotocol/sdk` (version 1) or
 * `@modelcontextprotocol/client` (version 2), or your own object.
 */
export interface McpClient {
  listTools(params?: { readonly cursor?: string }, options?: McpRequestOptions): ObservableInput<McpToolPage>;
  /**
   * `(call, options)`, or `(call, resultSchema, options)` as in version 1 of the SDK; distinguished by
   * `length`.
   */
  callTool(call: McpCall, ...rest: never[]): ObservableInput<unknown>;
}
