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
   * Whether calls need the run's approval: all of them, or by the tool and its arguments. The tool has the server's
   * `annotations`, which an untrusted server may have made up. Default `false`.
   */
  readonly approve?:
    | boolean
    | ((tool: McpTool, args: Readonly<Record<string, unknown>>) => ObservableInput<boolean> | boolean)
    | undefined;
  /** Milliseconds until a call must be done, progress or not. Default: the run's `toolTimeout`. */
  readonly timeout?: number | undefined;
  /** Stands before each name, such as `'github_'`: letters, digits, `_` and `-`. Default: nothing. */
  readonly prefix?: string | undefined;
  /** Which tools the model may call. Default: all. */
  readonly filter?: ((tool: McpTool) => boolean) | undefined;
}

/** How many pages a list of tools may have. */
const maxPages = 1_000;

/**
 * What is wrong with a server's list of tools:
 * - `'malformed'`: it is no list of tools with names and schemas
 * - `'endless'`: its pages do not end, or lead back to one before
 * - `'name_collision'`: two tools would have one name
 */
export type ToolListErrorCode = 'malformed' | 'endless' | 'name_collision';

/**
 * The list of tools of an MCP server cannot be used.
 *
 * What to do: at `'name_collision'` leave one of the two out with `filter`; else report it to whoever runs the server.
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
 * Asks the server for its list, all pages of it, emits once and completes; subscribe again for a new list. A call is
 * executed by the server: its progress notifications become `tool_progress` at once, and unsubscribing from the run
 * cancels it. What ends a call is the run's clock alone, never the SDK's 60 s. Tools that can only be called as tasks
 * are left out.
 *
 * Characters that OpenAI allows in no name become `_`, and names longer than 64 are cut; the server is called by its own.
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
 * The result errors with a {@link ToolListError}, with what `filter` throws, or with what the client fails with.
 *
 * @throws TypeError for a client or options of the wrong kind
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
        // On a trampoline: hundreds of pages that are given at once leave nothing on the stack.
        subscribeOn(queueScheduler),
      );
    return page().pipe(
      expand(({ nextCursor = '' }) => {
        if (nextCursor === '') return EMPTY;
        if (cursors.has(nextCursor))
          throw new ToolListError(
            'endless',
            "The pages of the MCP server's list of tools go round in a circle.",
          );
        if (cursors.add(nextCursor).size >= maxPages)
          throw new ToolListError(
            'endless',
            `The MCP server's list of tools has more than ${maxPages} pages.`,
          );
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
    throw new ToolListError(
      'malformed',
      'The MCP server did not send a list of tools with names and schemas.',
    );
  const nextCursor = own(page as Record<string, unknown>, 'nextCursor');
  return { tools, ...(typeof nextCursor === 'string' && { nextCursor }) };
}

const isTool = (entry: unknown): entry is McpTool =>
  isRecord(entry) && stringOf(own(entry, 'name')) !== '' && isParameters(own(entry, 'inputSchema'));

/** A provider refuses a whole request for one tool whose parameters are no object. */
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
        `The tools "${other}" and "${each.name}" of the MCP server would both be called "${name}". Leave one out with options.filter.`,
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

/** The server checks what is in them. */
function argumentsOf(value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw new TypeError('The arguments must be a JSON object.');
  return value;
}

/** As providers take it: some refuse `$schema`, and OpenAI an object without `properties`. */
function parametersOf({ $schema: _draft, ...schema }: JsonSchema): JsonSchema {
  return { type: 'object', properties: {}, ...schema };
}

/** By hand: progress comes through a callback, beside the promise. */
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
