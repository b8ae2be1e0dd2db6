import type { RunState } from 'rxjs-chat-completions';

const over: readonly RunState['status'][] = ['idle', 'completed', 'pending', 'stopped', 'error'];

export const isGoingOn = ({ status }: RunState): boolean => !over.includes(status);
