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

/** Where a run is traced, and how much of it. */
export interface TraceRunOptions extends Pick<TraceOptions, 'tracer'> {
  /** What the run's span is called, as in `invoke_agent weather-desk`. Default: it has no name. */
  readonly agentName?: string | undefined;
  /** Whether the arguments and the outputs of tools become attributes. Default `'none'`. */
  readonly content?: TraceOptions['content'];
  /** For the times of the spans: the run's. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** Options of a run that belongs to one subscription. */
export type TracedRun = <Options extends RunToolsOptions>(options: Options) => Options;

/**
 * Traces a run: a span for the whole, and below it one for each tool that executes, with the spans of its turns.
 *
 * The function gets a `traced` for the run's options and returns the run. What a turn or a tool makes spans of is then a
 * child of the run's span or of the tool's. The run's span, `invoke_agent {agentName}`, tells why the run ended and after
 * how many turns; decisions about calls, and calls that were refused, are events of it. A tool's, `execute_tool {name}`,
 * lasts from `tool_started` to `tool_finished`, and tells why it failed. Of content nothing, unless `content` is `'all'`.
 *
 * Unsubscribing ends all spans, and is no error. What a tracer throws never touches the run. Each subscription has a span
 * of its own; its parent is the span that is active where it is subscribed to.
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
 * @throws TypeError where there is no tracer
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
    // What is wrong with the options, the run tells.
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
