import {
  asyncScheduler,
  defer,
  from,
  isObservable,
  type Observable,
  type ObservableInput,
  type SchedulerLike,
  tap,
} from 'rxjs';
import type { RunToolsOptions } from '../run/run-tools.js';
import type { Tool } from '../run/tool.js';
import type { RunEvent } from '../turn/run-events.js';
import { telemetryOf, type TraceOptions } from './inference.js';
import { quietly } from './quietly.js';
import { type RunSpans, startRun } from './run-spans.js';
import { activeContext, deliveredIn, subscribedIn, within } from './within.js';

/** How a run is traced. */
export interface TraceRunOptions extends Pick<TraceOptions, 'tracer'> {
  /** The agent's name in the run's span, as in `invoke_agent weather-desk`. Default: none. */
  readonly agentName?: string | undefined;
  /** Whether the arguments and the outputs of tools become attributes. Default `'none'`. */
  readonly content?: TraceOptions['content'];
  /** The clock for the spans; use the run's scheduler. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** Adds tracing to the options of a run, within one subscription. */
export type TracedRun = <Options extends RunToolsOptions>(options: Options) => Options;

/**
 * Traces a run: one span for the whole run, with child spans for its turns and for each tool.
 *
 * The function gets a `traced` for the run's options and returns the run. Spans started by a turn or a tool
 * become children of the run's or the tool's span. The run's span, `invoke_agent {agentName}`, records why the
 * run ended and after how many turns, with events for approvals and refused calls. A tool's span, `execute_tool
 * {name}`, lasts from `tool_started` to `tool_finished`, and records why it failed. Content is recorded only if
 * `content` is `'all'`.
 *
 * Unsubscribing ends all spans, and is not an error. Errors of a tracer never affect the run. Each subscription
 * has its own span, whose parent is the span that is active when it is subscribed to.
 *
 * ```
 * run        --cs---f----Hi-R|
 * span       [---------------]     invoke_agent
 *            [--]    [-------]     chat, by traced()
 *               [---]              execute_tool
 * ```
 *
 * c: call, s: `tool_started`, f: `tool_finished`, R: `run_completed`
 *
 * @example
 * ```ts
 * traceRun({ tracer, agentName: 'weather-desk' }, (tracedRun) =>
 *   runTools(
 *     'How is the weather in Rome?',
 *     tracedRun({
 *       turn: (prompt) => streamChatCompletions(prompt, traced(options, { tracer })),
 *       tools: [weather],
 *     }),
 *   ),
 * ).subscribe(render);
 * ```
 *
 * @param project - called for each subscription
 * @throws TypeError if there is no tracer
 */
export function traceRun<T extends RunEvent>(
  config: TraceRunOptions,
  project: (traced: TracedRun) => ObservableInput<T>,
): Observable<T> {
  const { tracer, hasContent } = telemetryOf(config);
  const { agentName, scheduler = asyncScheduler } = config;
  return defer(() => {
    const parent = activeContext();
    const spans = startRun({ tracer, hasContent, agentName, parent, now: () => scheduler.now() });
    const run = subscribedIn(
      spans.context,
      defer(() => from(project((options) => tracedOptions(options, spans)))),
    ).pipe(
      tap({
        next: (event) => quietly(() => spans.note(event)),
        error: (error: unknown) => quietly(() => spans.end({ outcome: 'error', error })),
        complete: () => quietly(() => spans.end({ outcome: 'completed' })),
        unsubscribe: () => quietly(() => spans.end({ outcome: 'unsubscribed' })),
      }),
    );
    return deliveredIn(parent, run);
  });
}

function tracedOptions<Options extends RunToolsOptions>(options: Options, spans: RunSpans): Options {
  const { turn, tools } = options;
  return {
    ...options,
    // The run reports invalid options.
    ...(typeof turn === 'function' && {
      turn: (...parameters: Parameters<typeof turn>) =>
        subscribedIn(
          spans.context,
          defer(() => from(turn(...parameters))),
        ),
    }),
    ...(Array.isArray(tools) && { tools: tools.map((tool: Tool) => tracedTool(tool, spans)) }),
  };
}

/** A tool that executes within its span, and whose values arrive within the run's. */
function tracedTool(tool: Tool, spans: RunSpans): Tool {
  if (typeof tool?.execute !== 'function') return tool;
  return {
    ...tool,
    execute(args, toolContext) {
      const inner = spans.contextOf(toolContext.callId) ?? spans.context;
      const returned = within(inner, () => tool.execute(args, toolContext));
      return isObservable(returned) ? deliveredIn(spans.context, subscribedIn(inner, returned)) : returned;
    },
  };
}
