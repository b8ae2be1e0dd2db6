const backend = require('./backend.cjs');

void backend(
  require('rxjs-chat-completions'),
  require('rxjs-chat-completions/testing'),
  require('rxjs-chat-completions/node'),
  require('rxjs-chat-completions/mock-provider'),
);
