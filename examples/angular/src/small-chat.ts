import { ChangeDetectionStrategy, Component } from '@angular/core';
import { streamChatCompletions } from 'rxjs-chat-completions';
import { injectChat } from 'rxjs-chat-completions/angular';
import { chatOptions } from './app/chat/chat-options';

@Component({
  selector: 'app-root',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    @for (message of chat.messages(); track message.id) {
      <p [class]="message.role">{{ message.text }}</p>
    }
    <p role="alert">{{ chat.error()?.message }}</p>
    <input #question aria-label="Question" (keydown.enter)="chat.send(question.value); question.value = ''" />
    <button type="button" [disabled]="!chat.isAnswering()" (click)="chat.stop()">Stop</button>
  `,
})
export class SmallChat {
  protected readonly chat = injectChat({ turn: (prompt) => streamChatCompletions(prompt, chatOptions()) });
}
