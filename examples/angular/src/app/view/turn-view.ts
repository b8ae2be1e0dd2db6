import { ChangeDetectionStrategy, Component, computed, input, output } from '@angular/core';
import { toObservable, toSignal } from '@angular/core/rxjs-interop';
import { distinctUntilChanged, EMPTY, map, switchMap, timer } from 'rxjs';
import type { RunTool, Turn } from 'rxjs-chat-completions';
import { Markdown } from './markdown';
import { type Decision, ToolCard } from './tool-card';

/** What there is of one turn: reasoning folded, text, calls. */
@Component({
  selector: 'app-turn',
  changeDetection: ChangeDetectionStrategy.OnPush,
  imports: [Markdown, ToolCard],
  template: `
    @if (turn().reasoning; as reasoning) {
      <details class="reasoning">
        <summary>
          <svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="m8 5 5 5-5 5" /></svg>
          <span [class.busy]="isThinking()">{{ thought() }}</span>
        </summary>
        <p dir="auto">{{ reasoning }}</p>
      </details>
    }
    @if (turn().text; as text) {
      <div [appMarkdown]="text" [class.growing]="isGoingOn() && turn().toolCalls.length === 0"></div>
    }
    @if (turn().refusal; as refusal) {
      <p class="refusal" dir="auto">{{ refusal }}</p>
    }
    @for (call of turn().toolCalls; track call.callId) {
      <app-tool-card
        [call]="call"
        [tool]="toolOf(call.callId)"
        [isOver]="!isGoingOn()"
        (decided)="decided.emit($event)"
      />
    }
  `,
})
export class TurnView {
  readonly turn = input.required<Turn>();
  readonly tools = input<readonly RunTool[]>([]);
  readonly isGoingOn = input(false);
  readonly decided = output<Decision>();

  protected readonly isThinking = computed(() => {
    const { reasoning, text, refusal, toolCalls } = this.turn();
    return this.isGoingOn() && reasoning !== '' && text === '' && refusal === '' && toolCalls.length === 0;
  });

  /** Whole seconds; they stay when the thinking is over. `undefined` for a turn that was found thinking no more. */
  readonly #seconds = toSignal(
    toObservable(this.isThinking).pipe(
      switchMap((isThinking) => {
        if (!isThinking) return EMPTY;
        const start = Date.now();
        return timer(0, 250).pipe(map(() => Math.floor((Date.now() - start) / 1_000)));
      }),
      distinctUntilChanged(),
    ),
  );

  /** For the eye: nothing here is a live region. */
  protected readonly thought = computed(() => {
    const seconds = this.#seconds();
    if (this.isThinking()) return seconds ? `Thinking for ${duration(seconds)}` : 'Thinking';
    if (seconds === undefined) return 'Reasoning';
    return `Thought for ${seconds === 0 ? 'a moment' : duration(seconds)}`;
  });

  protected toolOf(callId: string): RunTool | undefined {
    return this.tools().find((tool) => tool.callId === callId);
  }
}

const duration = (seconds: number): string =>
  seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
