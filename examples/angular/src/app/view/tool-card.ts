import { ChangeDetectionStrategy, Component, computed, input, output } from '@angular/core';
import type { RunTool, ToolOutput, TurnToolCall } from 'rxjs-chat-completions';
import { prettyJson } from './pretty-json';

/** What a user says to a call that needs approval. */
export interface Decision {
  readonly callId: string;
  readonly isAllowed: boolean;
}

/** A call that the model asks for: its arguments as they are written, then what the tool gave. */
@Component({
  selector: 'app-tool-card',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <section class="card tool" [attr.aria-label]="'Tool ' + call().name">
      <header>
        <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
          <path d="M7 6 3 10l4 4M13 6l4 4-4 4" />
        </svg>
        <code>{{ call().name }}</code>
        <span class="state" [class.busy]="isBusy()">{{ state() }}</span>
      </header>
      <pre tabindex="0" aria-label="Arguments">{{ args() }}</pre>
      @if (isAsking()) {
        <div class="decision" role="group" [attr.aria-label]="'May the model use ' + call().name + '?'">
          <p>May the model do this?</p>
          <div>
            <button type="button" class="button" (click)="decide(false)">Don't allow</button>
            <button type="button" class="button primary" (click)="decide(true)">Allow</button>
          </div>
        </div>
      }
      @if (output(); as output) {
        <p class="output">
          <span class="visually-hidden">Result: </span><span class="text" dir="auto">{{ output }}</span>
        </p>
      }
    </section>
  `,
})
export class ToolCard {
  readonly call = input.required<TurnToolCall>();
  /** What became of it, once it is whole. */
  readonly tool = input<RunTool>();
  /** Nothing more will come for it: the answer is over. */
  readonly isOver = input(false);
  readonly decided = output<Decision>();

  protected readonly args = computed(() => prettyJson(this.call().arguments));
  /** What the model is told of a refusal is no result. */
  protected readonly output = computed(() =>
    this.tool()?.status === 'rejected' ? undefined : textOf(this.tool()?.output),
  );
  protected readonly isAsking = computed(() => this.tool()?.status === 'awaiting_approval');
  protected readonly isBusy = computed(
    () => this.output() === undefined && !this.isOver() && !this.isAsking(),
  );
  protected readonly state = computed(() => {
    const status = this.tool()?.status;
    if (status === 'awaiting_approval') return 'Waiting for you';
    if (status === 'rejected') return 'Not allowed';
    if (status === 'failed') return 'Failed';
    if (status === 'finished') return 'Done';
    if (status === 'cancelled' || this.isOver()) return 'Not run';
    return this.call().item === undefined ? 'Writing…' : 'Running…';
  });

  protected decide(isAllowed: boolean): void {
    this.decided.emit({ callId: this.call().callId, isAllowed });
  }
}

/** Images are for the model alone. */
function textOf(output: ToolOutput | undefined): string | undefined {
  if (output === undefined || typeof output === 'string') return output;
  return output.map((part) => (part.type === 'input_text' ? part.text : '')).join('');
}
