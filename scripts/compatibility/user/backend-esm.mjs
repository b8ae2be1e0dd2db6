import * as library from 'rxjs-chat-completions';
import * as mockProvider from 'rxjs-chat-completions/mock-provider';
import * as node from 'rxjs-chat-completions/node';
import * as testing from 'rxjs-chat-completions/testing';
import backend from './backend.cjs';

await backend(library, testing, node, mockProvider);
