import { ChangeDetectionStrategy, Component, input } from '@angular/core';
import type { RunTool, Turn } from 'rxjs-chat-completions';
import { Markdown } from './markdown';
import { ToolCard } from './tool-card';

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
          <span [class.busy]="isGoingOn() && turn().text === '' && turn().toolCalls.length === 0"
            >Reasoning</span
          >
        </summary>
        <p>{{ reasoning }}</p>
      </details>
    }
    @if (turn().text; as text) {
      <div [appMarkdown]="text" [class.growing]="isGoingOn() && turn().toolCalls.length === 0"></div>
    }
    @if (turn().refusal; as refusal) {
      <p class="refusal">{{ refusal }}</p>
    }
    @for (call of turn().toolCalls; track call.callId) {
      <app-tool-card [call]="call" [tool]="toolOf(call.callId)" [isOver]="!isGoingOn()" />
    }
  `,
})
export class TurnView {
  readonly turn = input.required<Turn>();
  readonly tools = input<readonly RunTool[]>([]);
  readonly isGoingOn = input(false);

  protected toolOf(callId: string): RunTool | undefined {
    return this.tools().find((tool) => tool.callId === callId);
  }
}
