import { firstValueFrom, mergeMap, NEVER, of, throwError } from 'rxjs';
import {
  type McpClient,
  type McpRequestOptions,
  type McpTool,
  type McpToolPage,
  mcpTools,
  type Prompt,
  type RunEvent,
  runTools,
  type Tool,
  ToolListError,
} from '../../src/index.js';
import { type ToolCall, toolCallEvents, turnOf } from '../../src/testing/index.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

const listed = (name: string, more: Partial<McpTool> = {}): McpTool => ({
  name,
  inputSchema: { type: 'object' },
  ...more,
});

/** A client whose server has these tools and answers each call with its name. */
function clientOf(...tools: readonly McpTool[]) {
  const calls: { readonly name: string; readonly arguments?: unknown }[] = [];
  const client: McpClient = {
    listTools: () => of({ tools }),
    callTool(call) {
      calls.push(call);
      return of({ content: [{ type: 'text', text: `from ${call.name}` }] });
    },
  };
  return { client, calls };
}

const toolsOf = (...parameters: Parameters<typeof mcpTools>): readonly Tool[] =>
  received(mcpTools(...parameters))[0]!;

/** The events of a run in which the model calls a tool once. */
function runOf(tools: readonly Tool[], name: string, args: ToolCall['arguments'] = {}): readonly RunEvent[] {
  const turn = (_prompt: Prompt, step: number) =>
    of(...(step === 1 ? turnOf(toolCallEvents({ name, arguments: args, callId: 'c' })) : turnOf('Done')));
  return received(runTools('Hi', { turn, tools }));
}

const finishedIn = (events: readonly RunEvent[]) => events.find(({ type }) => type === 'tool_finished');

describe('mcpTools', () => {
  it('pages through the list, emits once and completes', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold('--(p|)', { p: { tools: [listed('a'), listed('b')], nextCursor: '2' } });
      const second = cold('---(p|)', { p: { tools: [listed('c')] } });
      const client: McpClient = {
        listTools: ({ cursor } = {}) => (cursor === '2' ? second : first),
        callTool: () => NEVER,
      };
      const names = mcpTools(client).pipe(mergeMap((tools) => of(tools.map(({ name }) => name))));
      expectObservable(names).toBe('-----(t|)', { t: ['a', 'b', 'c'] });
      expectSubscriptions(first.subscriptions).toBe('^-!');
      expectSubscriptions(second.subscriptions).toBe('--^--!');
    });
  });

  it('asks for nothing until it is subscribed to, and anew each time', () => {
    const asked: (string | undefined)[] = [];
    const client: McpClient = {
      listTools(params) {
        asked.push(params?.cursor);
        return of({ tools: [] });
      },
      callTool: () => NEVER,
    };
    const tools = mcpTools(client);
    expect(asked).toEqual([]);
    tools.subscribe();
    tools.subscribe();
    expect(asked).toEqual([undefined, undefined]);
  });

  it('aborts the request for the list where it is left, at any frame', () => {
    for (let frame = 0; frame <= 4; frame += 1) {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions, flush }) => {
        const signals: (AbortSignal | undefined)[] = [];
        const page = cold('-----p|', { p: { tools: [] } });
        const client: McpClient = {
          listTools(_params, options) {
            signals.push(options?.signal);
            return page;
          },
          callTool: () => NEVER,
        };
        expectObservable(mcpTools(client), `${'-'.repeat(frame)}!`).toBe('-');
        expectSubscriptions(page.subscriptions).toBe(frame === 0 ? '(^!)' : `^${'-'.repeat(frame - 1)}!`);
        flush();
        expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
      });
    }
  });

  it('fails with what the list fails with, or is refused with at once', () => {
    const error = new Error('not connected');
    const callTool = () => NEVER;
    expect(failureOf(mcpTools({ listTools: () => throwError(() => error), callTool }))).toBe(error);
    const refuse = () => {
      throw error;
    };
    expect(failureOf(mcpTools({ listTools: refuse, callTool }))).toBe(error);
  });

  it('fails where pages go round in a circle', () => {
    const client: McpClient = {
      listTools: ({ cursor } = {}) => of({ tools: [], nextCursor: cursor === 'a' ? 'b' : 'a' }),
      callTool: () => NEVER,
    };
    expect(failureOf(mcpTools(client))).toEqual(
      new ToolListError('endless', "The pages of the MCP server's tool list form a cycle."),
    );
  });

  it('fails where pages never end', async () => {
    let pages = 0;
    const client: McpClient = {
      listTools: async () => ({ tools: [], nextCursor: String((pages += 1)) }),
      callTool: () => NEVER,
    };
    await expect(firstValueFrom(mcpTools(client))).rejects.toMatchObject({ code: 'endless' });
    expect(pages).toBe(1_000);
  });

  it('asks for each page on a trampoline', () => {
    let pages = 0;
    const client: McpClient = {
      listTools: () => of({ tools: [], nextCursor: String((pages += 1)) }),
      callTool: () => NEVER,
    };
    expect(failureOf(mcpTools(client))).toMatchObject({ code: 'endless' });
    expect(pages).toBe(1_000);
  });

  it.each([
    ['nothing', undefined],
    ['no list', { tools: 'none' }],
    ['a tool without a name', { tools: [{ inputSchema: {} }] }],
    ['a tool without a schema', { tools: [{ name: 'a' }] }],
    ['a tool that is none', { tools: [null] }],
    ['a tool with an empty name', { tools: [{ name: '', inputSchema: {} }] }],
    ['a schema of a text', { tools: [{ name: 'a', inputSchema: { type: 'string' } }] }],
    ['properties that are none', { tools: [{ name: 'a', inputSchema: { type: 'object', properties: [] } }] }],
  ])('fails where the server sends %s', (_what, page) => {
    const client: McpClient = { listTools: () => of(page as unknown as McpToolPage), callTool: () => NEVER };
    expect(failureOf(mcpTools(client))).toMatchObject({ name: 'ToolListError', code: 'malformed' });
  });

  it('takes an empty cursor, and one that is no text, for none', () => {
    for (const nextCursor of ['', null, 7]) {
      const client: McpClient = {
        listTools: () => of({ tools: [listed('a')], nextCursor } as McpToolPage),
        callTool: () => NEVER,
      };
      expect(toolsOf(client)).toHaveLength(1);
    }
  });

  it('describes a tool to the model by its description, else by its title', () => {
    const { client } = clientOf(
      listed('a', { description: 'Adds.', title: 'Add' }),
      listed('b', { title: 'Buy' }),
      listed('c', { annotations: { title: 'Cut' } }),
      listed('d'),
      listed('e', { description: { en: 'Add' }, title: 5, annotations: 'none' } as never),
    );
    expect(toolsOf(client).map(({ definition }) => definition.description)).toEqual([
      'Adds.',
      'Buy',
      'Cut',
      undefined,
      undefined,
    ]);
  });

  it('sends the schema as providers take it: with properties, without $schema', () => {
    const properties = { city: { type: 'string' } };
    const { client } = clientOf(
      listed('a', { inputSchema: { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' } }),
      listed('b', { inputSchema: { type: 'object', properties, required: ['city'] } }),
    );
    expect(toolsOf(client).map(({ definition }) => definition)).toEqual([
      { type: 'function', name: 'a', parameters: { type: 'object', properties: {} } },
      { type: 'function', name: 'b', parameters: { type: 'object', properties, required: ['city'] } },
    ]);
  });

  it('takes a schema that looks like one of a library for the JSON that it is', () => {
    const inputSchema = { type: 'object', validate: {}, jsonSchema: {}, '~standard': { validate: 'no' } };
    const { client, calls } = clientOf(listed('a', { inputSchema }));
    const events = runOf(toolsOf(client), 'a', { x: 1 });
    expect(calls).toEqual([{ name: 'a', arguments: { x: 1 } }]);
    expect(finishedIn(events)).toMatchObject({ output: 'from a' });
  });

  it('gives the model names that OpenAI allows, and calls the tools by their own', () => {
    const long = 'l'.repeat(70);
    const { client, calls } = clientOf(listed('files.read/all'), listed(long), listed('__proto__'));
    const tools = toolsOf(client);
    expect(tools.map(({ name }) => name)).toEqual(['files_read_all', 'l'.repeat(64), '__proto__']);
    for (const { name } of tools) runOf(tools, name);
    expect(calls.map(({ name }) => name)).toEqual(['files.read/all', long, '__proto__']);
  });

  it('puts the prefix before each name', () => {
    const { client, calls } = clientOf(listed('search'));
    const tools = toolsOf(client, { prefix: 'github_' });
    expect(tools.map(({ name }) => name)).toEqual(['github_search']);
    runOf(tools, 'github_search');
    expect(calls).toEqual([{ name: 'search', arguments: {} }]);
  });

  it('fails where two tools would have one name, unless one is left out', () => {
    const { client } = clientOf(listed('a.b'), listed('a/b'));
    expect(failureOf(mcpTools(client))).toEqual(
      new ToolListError(
        'name_collision',
        'The tools "a.b" and "a/b" of the MCP server would both be named "a_b". Exclude one with options.filter.',
      ),
    );
    expect(toolsOf(client, { filter: ({ name }) => name !== 'a/b' })).toHaveLength(1);
  });

  it('leaves out tools that can only be called as tasks', () => {
    const { client } = clientOf(
      listed('a', { execution: { taskSupport: 'required' } }),
      listed('b', { execution: { taskSupport: 'optional' } }),
    );
    expect(toolsOf(client).map(({ name }) => name)).toEqual(['b']);
  });

  it.each<[object, RegExp]>([
    [{ approve: 'always' }, /options\.approve must be a boolean or a function/],
    [{ approve: null }, /options\.approve must be a boolean or a function/],
    [{ filter: ['a'] }, /options\.filter must be a function/],
    [{ timeout: 0 }, /options\.timeout must be a number of at least 1/],
    [{ prefix: 5 }, /options\.prefix may hold letters/],
  ])('refuses %j at once', (options, message) => {
    const { client } = clientOf(listed('a'));
    expect(() => mcpTools(client, options as never)).toThrow(TypeError);
    expect(() => mcpTools(client, options as never)).toThrow(message);
  });

  it('refuses a client that is none, and a prefix that no name can have, at once', () => {
    expect(() => mcpTools({} as McpClient)).toThrow(TypeError);
    expect(() => mcpTools(undefined as unknown as McpClient)).toThrow(TypeError);
    expect(() => mcpTools(clientOf().client, { prefix: 'git.hub/' })).toThrow(TypeError);
  });

  describe('approval', () => {
    const tools = [
      listed('read', { annotations: { readOnlyHint: true } }),
      listed('remove', { annotations: { destructiveHint: true } }),
    ];

    it('is asked for where the tool and its arguments say so', () => {
      const { client, calls } = clientOf(...tools);
      const approve = (each: McpTool, args: Readonly<Record<string, unknown>>) =>
        each.annotations?.readOnlyHint !== true && args['path'] !== '/tmp';
      const given = toolsOf(client, { approve });
      const asked = (name: string, path: string) =>
        runOf(given, name, { path }).some(({ type }) => type === 'approval_requested');
      expect(asked('read', '/')).toBe(false);
      expect(asked('remove', '/tmp')).toBe(false);
      expect(asked('remove', '/')).toBe(true);
      expect(calls.map(({ name }) => name)).toEqual(['read', 'remove']);
    });

    it('is asked for always, or by default never', () => {
      const { client, calls } = clientOf(...tools);
      const always = runOf(toolsOf(client, { approve: true }), 'read');
      expect(always.at(-1)).toMatchObject({ type: 'run_completed', reason: 'pending' });
      expect(calls).toEqual([]);
      runOf(toolsOf(client), 'remove');
      expect(calls).toHaveLength(1);
    });
  });

  describe('a call', () => {
    it('emits progress at once, then the output', () => {
      testScheduler().run(({ cold, expectObservable }) => {
        const progress = cold('-1-2', { 1: { progress: 1, total: 2 }, 2: { progress: 2, total: 2 } });
        const client: McpClient = {
          listTools: () => of({ tools: [listed('a')] }),
          callTool(_call, _schema?: never, options?: McpRequestOptions) {
            progress.subscribe((each) => options?.onprogress?.(each));
            return cold('-----(r|)', { r: { content: [{ type: 'text', text: 'ok' }] } });
          },
        };
        const turn = (_prompt: Prompt, step: number) =>
          step === 1 ? of(...turnOf(toolCallEvents({ name: 'a', callId: 'c' }))) : cold<never>('|');
        const run = mcpTools(client).pipe(
          mergeMap((tools) => runTools('Hi', { turn, tools })),
          mergeMap((event) => {
            if (event.type === 'tool_progress') return of(event.value);
            return event.type === 'tool_finished' ? of(event.output) : [];
          }),
        );
        expectObservable(run).toBe('-1-2-(o|)', {
          1: { progress: 1, total: 2 },
          2: { progress: 2, total: 2 },
          o: 'ok',
        });
      });
    });

    it('is cancelled by its signal where the run is left, and by the run’s clock, not the client’s', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions, flush }) => {
        const given: McpRequestOptions[] = [];
        const answer = cold('-');
        const client: McpClient = {
          listTools: () => of({ tools: [listed('a')] }),
          // As in version 2 of the SDK.
          callTool(_call, options?: McpRequestOptions) {
            given.push(options!);
            return answer;
          },
        };
        const turn = () => of(...turnOf(toolCallEvents({ name: 'a', callId: 'c' })));
        const run = mcpTools(client, { timeout: 3 }).pipe(
          mergeMap((tools) => runTools('Hi', { turn, tools, maxTurns: 1 })),
          mergeMap((event) => (event.type === 'tool_finished' ? of(event.output) : [])),
        );
        expectObservable(run, '--!').toBe('-');
        expectObservable(run).toBe('---(o|)', { o: 'The tool did not finish within 3 ms.' });
        expectSubscriptions(answer.subscriptions).toBe(['^-!', '^--!']);
        flush();
        expect(given).toEqual([
          {
            signal: expect.objectContaining({ aborted: true }) as unknown,
            timeout: 2 ** 31 - 1,
            onprogress: expect.any(Function) as unknown,
          },
          {
            signal: expect.objectContaining({ aborted: true }) as unknown,
            timeout: 2 ** 31 - 1,
            onprogress: expect.any(Function) as unknown,
          },
        ]);
      });
    });

    it('is told to the model as failed, in the server’s words', () => {
      const client: McpClient = {
        listTools: () => of({ tools: [listed('a')] }),
        callTool: () => of({ isError: true, content: [{ type: 'text', text: 'No such city.' }] }),
      };
      expect(finishedIn(runOf(toolsOf(client), 'a'))).toMatchObject({
        output: 'The tool failed: No such city.',
        error: { code: 'failed' },
      });
    });

    it('is told to the model as failed where the client refuses it at once', () => {
      const client: McpClient = {
        listTools: () => of({ tools: [listed('a')] }),
        callTool() {
          throw new Error('Not connected');
        },
      };
      expect(finishedIn(runOf(toolsOf(client), 'a'))).toMatchObject({
        output: 'The tool failed: Not connected',
      });
    });

    it('is not made with arguments that are no object', () => {
      const { client, calls } = clientOf(listed('a'));
      const events = runOf(toolsOf(client), 'a', ['[1]']);
      expect(finishedIn(events)).toMatchObject({
        output: 'Invalid arguments.\nThe arguments must be a JSON object.',
      });
      expect(calls).toEqual([]);
    });
  });
});
