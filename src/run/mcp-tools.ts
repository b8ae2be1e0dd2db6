import {
  defer,
  EMPTY,
  expand,
  from,
  map,
  Observable,
  type ObservableInput,
  queueScheduler,
  subscribeOn,
  tap,
  toArray,
} from 'rxjs';
import { checkLimit, longestDelay } from '../flow/timers.js';
import { ChatCompletionsError } from '../turn/errors.js';
import type { JsonSchema } from '../turn/schema.js';
import { isRecord, own, stringOf } from '../turn/wire.js';
import type { McpCall, McpClient, McpRequestOptions, McpTool, McpToolPage } from './mcp-client.js';
import { mcpOutput } from './mcp-output.js';
import { tool, type Tool, type ToolContext, toolProgress } from './tool.js';

export interface McpToolsOptions {
  /**
   * Whether calls need the run's approval: all of them, or depending on the tool and its arguments. The tool
   * has the server's `annotations`, which an untrusted server may have made up. Default `false`.
   */
  readonly approve?:
    | boolean
    | ((tool: McpTool, args: Readonly<Record<string, unknown>>) => ObservableInput<boolean> | boolean)
    | undefined;
  /** Maximum duration of a call in milliseconds, with or without progress. Default: the run's `toolTimeout`. */
  readonly timeout?: number | undefined;
  /** A prefix for each name, such as `'github_'`: letters, digits, `_` and `-`. Default: none. */
  readonly prefix?: string | undefined;
  /** Which tools the model may call. Default: all. */
  readonly filter?: ((tool: McpTool) => boolean) | undefined;
}

/** How many pages a list of tools may have. */
const maxPages = 1_000;

/**
 * What is wrong with a server's list of tools:
 * - `'malformed'`: it is not a list of tools with names and schemas
 * - `'endless'`: its pages do not end, or form a cycle
 * - `'name_collision'`: two tools would have the same name
 */
export type ToolListErrorCode = 'malformed' | 'endless' | 'name_collision';

/**
 * The list of tools of an MCP server cannot be used.
 *
 * What to do: for `'name_collision'` exclude one of the two with `filter`; otherwise report it to the server's
 * operator.
 */
export class ToolListError extends ChatCompletionsError {
  override get name() {
    return 'ToolListError' as const;
  }
  readonly code: ToolListErrorCode;

  constructor(code: ToolListErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * The tools of an MCP server, for the `tools` of `runTools()`.
 *
 * Requests all pages of the server's list, emits once and completes; subscribe again for a new list. The server
 * executes the calls: its progress notifications become `tool_progress` at once, and unsubscribing from the run
 * cancels them. Only the run's timeout ends a call, never the SDK's 60 s. Tools that can only be called as
 * tasks are left out.
 *
 * Characters that OpenAI does not allow in names become `_`, and names longer than 64 are cut; the server gets
 * the original name.
 *
 * ```
 * listTools()   --[ab, next]
 *                           --[c]
 * result        --------------([abc]|)
 * ```
 *
 * @example
 * ```ts
 * const client = new Client({ name: 'my-app', version: '1.0.0' });
 * await client.connect(new StdioClientTransport({ command: 'node', args: ['server.mjs'] }));
 *
 * mcpTools(client, { approve: ({ annotations }) => annotations?.readOnlyHint !== true })
 *   .pipe(switchMap((tools) => runTools(question, { turn, tools, approve: askUser })))
 *   .subscribe(render);
 * ```
 *
 * Errors with a {@link ToolListError}, or with an error of `filter` or of the client.
 *
 * @throws TypeError for a client or options of the wrong type
 */
export function mcpTools(client: McpClient, options: McpToolsOptions = {}): Observable<readonly Tool[]> {
  const { prefix = '', filter = () => true, approve = false, timeout = Infinity } = options;
  if (typeof client?.listTools !== 'function' || typeof client.callTool !== 'function')
    throw new TypeError('mcpTools() needs a client with listTools() and callTool().');
  if (typeof prefix !== 'string' || !/^[\w-]*$/.test(prefix))
    throw new TypeError('options.prefix may hold letters, digits, "_" and "-".');
  if (typeof filter !== 'function') throw new TypeError('options.filter must be a function.');
  if (typeof approve !== 'boolean' && typeof approve !== 'function')
    throw new TypeError('options.approve must be a boolean or a function.');
  checkLimit('timeout', timeout);
  return listTools(client).pipe(
    map((listed) => {
      const wanted = listed.filter((each) => each.execution?.taskSupport !== 'required' && filter(each));
      const names = namesOf(wanted, prefix);
      return wanted.map((each, index) => toolOf(client, each, names[index] as string, options));
    }),
  );
}

/** All pages. */
function listTools(client: McpClient): Observable<readonly McpTool[]> {
  return defer(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const cursors = new Set<string>();
    const page = (cursor?: string) =>
      defer(() => client.listTools(cursor === undefined ? undefined : { cursor }, { signal })).pipe(
        map(checked),
        // On a trampoline: hundreds of synchronous pages must not overflow the stack.
        subscribeOn(queueScheduler),
      );
    return page().pipe(
      expand(({ nextCursor = '' }) => {
        if (nextCursor === '') return EMPTY;
        if (cursors.has(nextCursor))
          throw new ToolListError('endless', "The pages of the MCP server's tool list form a cycle.");
        if (cursors.add(nextCursor).size >= maxPages)
          throw new ToolListError('endless', `The MCP server's tool list has more than ${maxPages} pages.`);
        return page(nextCursor);
      }),
      toArray(),
      map((pages) => pages.flatMap(({ tools }) => tools)),
      tap({ unsubscribe: () => controller.abort() }),
    );
  });
}

function checked(page: unknown): McpToolPage {
  const tools = isRecord(page) ? own(page, 'tools') : undefined;
  if (!Array.isArray(tools) || !tools.every(isTool))
    throw new ToolListError('malformed', 'The MCP server did not send a tool list with names and schemas.');
  const nextCursor = own(page as Record<string, unknown>, 'nextCursor');
  return { tools, ...(typeof nextCursor === 'string' && { nextCursor }) };
}

const isTool = (entry: unknown): entry is McpTool =>
  isRecord(entry) && stringOf(own(entry, 'name')) !== '' && isParameters(own(entry, 'inputSchema'));

/** A provider rejects the whole request if one tool's parameters are not an object. */
function isParameters(schema: unknown): boolean {
  if (!isRecord(schema)) return false;
  const { type = 'object', properties = {} } = schema;
  return type === 'object' && isRecord(properties);
}

/** Names that OpenAI allows. */
function namesOf(tools: readonly McpTool[], prefix: string): readonly string[] {
  const taken = new Map<string, string>();
  return tools.map((each) => {
    const name = `${prefix}${each.name}`.replace(/[^\w-]/g, '_').slice(0, 64);
    const other = taken.get(name);
    if (other !== undefined)
      throw new ToolListError(
        'name_collision',
        `The tools "${other}" and "${each.name}" of the MCP server would both be named "${name}". Exclude one with options.filter.`,
      );
    taken.set(name, each.name);
    return name;
  });
}

function toolOf(
  client: McpClient,
  listed: McpTool,
  name: string,
  { approve, timeout }: McpToolsOptions,
): Tool {
  return tool({
    name,
    description: [listed.description, listed.title, listed.annotations?.title].find(isText),
    input: { validate: argumentsOf, jsonSchema: parametersOf(listed.inputSchema) },
    execute: (args, context) => callTool(client, { name: listed.name, arguments: args }, context),
    timeout,
    approve: typeof approve === 'function' ? (args) => approve(listed, args) : approve,
  });
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** The server validates the contents. */
function argumentsOf(value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw new TypeError('The arguments must be a JSON object.');
  return value;
}

/** Some providers reject `$schema`, and OpenAI rejects an object without `properties`. */
function parametersOf({ $schema: _draft, ...schema }: JsonSchema): JsonSchema {
  return { type: 'object', properties: {}, ...schema };
}

/** By hand: progress arrives through a callback, besides the promise. */
const callTool = (client: McpClient, call: McpCall, { signal }: ToolContext): Observable<unknown> =>
  new Observable((subscriber) => {
    const options: McpRequestOptions = {
      signal,
      timeout: longestDelay,
      onprogress: (progress) => subscriber.next(toolProgress(progress)),
    };
    return from(request(client, call, options))
      .pipe(map(mcpOutput))
      .subscribe(subscriber);
  });

function request(client: McpClient, call: McpCall, options: McpRequestOptions): ObservableInput<unknown> {
  const rest = client.callTool.length === 2 ? [options] : [undefined, options];
  return client.callTool(call, ...(rest as never[]));
}
